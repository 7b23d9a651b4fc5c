"""Layout of generated SQL: sqlglot's own, with each short `WHEN … THEN …` on one line."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

WIDTH = 100
LONGEST_LINE = 130


def laid_out(query: exp.Expr, dialect: str = "duckdb") -> str:
    """Formatted text of a query."""
    sql = query.sql(dialect=dialect, pretty=True, normalize_functions="lower", max_text_width=WIDTH)
    return _branches_on_one_line(sql)


def _branches_on_one_line(sql: str) -> str:
    """Changes only white space between tokens, never inside text or comments."""
    pieces: list[str] = []
    copied = 0
    previous_end = 0
    for token in sqlglot.tokenize(sql, dialect="duckdb"):
        gap = sql[previous_end : token.start]
        if token.token_type.name == "THEN" and gap.isspace() and "\n" in gap:
            line_start = sql.rfind("\n", 0, previous_end) + 1
            line_end = sql.find("\n", token.start)
            line_end = len(sql) if line_end < 0 else line_end
            is_short = previous_end - line_start + line_end - token.start < LONGEST_LINE
            if is_short and sql[line_start:previous_end].lstrip().startswith("WHEN"):
                pieces += [sql[copied:previous_end], " "]
                copied = token.start
        previous_end = token.end + 1
    return "".join([*pieces, sql[copied:]])
