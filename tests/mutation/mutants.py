"""Small wrong changes of the product's SQL: one operator, filter, order or aggregate at a time.

A mutant that no test notices is a line of SQL that nothing holds to its meaning. Mutants are found by
patterns in the text, in a fixed order: a number names the same mutant as long as the file does not change.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What is changed, and into what. Each stands for a slip that a person could make.
CHANGES = (
    (r" >= ", " > "),
    (r" <= ", " < "),
    (r" > ", " >= "),
    (r" < ", " <= "),
    (r" = ", " <> "),
    (r" <> ", " = "),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r"(?<!select) \* ", " + "),
    (r" and ", " or "),
    (r"(?<!create) or ", " and "),
    (r"\bsum\(", "max("),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bmin_by\(", "max_by("),
    (r"\bfirst_value\(", "last_value("),
    (r"\bgreatest\(", "least("),
    (r"\bleast\(", "greatest("),
    (r"\bis not null\b", "is null"),
    (r"\bis null\b", "is not null"),
    (r"\bnot in\b", "in"),
    (r"\bleft join\b", "inner join"),
    (r"\banti join\b", "semi join"),
    (r"\bsemi join\b", "anti join"),
    (r"\bunion all\b(?! by name)", "except"),
    (r" desc\b", ""),
    (r"\bdistinct\b(?! from)", ""),
    (r"\bin \('replace', 'delete'\)", "in ('replace')"),
    (r"\bin \('replace', 'delete'\)", "in ('delete')"),
    (r"\b(?:where|having|qualify)\b", r"\g<0> true or "),
)
_SQL = re.compile(r"\b(select|where|join|case when|order by)\b|\w\(\w+\) as \w", re.IGNORECASE)
_NOT_SQL = re.compile(
    r"--[^\n]*|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|'[^'\n]*'(?!, 'delete'\))|(?<='replace', )'delete'", re.DOTALL
)


@dataclass(frozen=True)
class Mutant:
    """One change: `found` on `line` of `path` (below the project) becomes `put`."""

    path: str
    line: int
    text: str
    found: str
    put: str
    start: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.found.strip()!r} -> {self.put.strip()!r} in `{self.text}`"

    def apply(self, project: Path) -> str:
        """Change the file in `project`; returns the text that was there."""
        target = project / self.path
        text = target.read_text(encoding="utf-8")
        target.write_text(
            text[: self.start] + self.put + text[self.start + len(self.found) :], encoding="utf-8"
        )
        return text


def mutants_of(project: Path, path: str) -> Iterator[Mutant]:
    """All mutants of the SQL in a file, in the order of its lines; comments and Jinja tags are left alone."""
    text = (project / path).read_text(encoding="utf-8")
    sql = _sql_in_python(text) if path.endswith(".py") else text
    kept = _NOT_SQL.sub(_blank, sql)
    lines = text.splitlines()
    found = []
    for pattern, put in CHANGES:
        searched = sql if "'" in pattern else kept
        for match in re.finditer(pattern, searched, re.IGNORECASE):
            line = text.count("\n", 0, match.start()) + 1
            found.append(
                Mutant(path, line, lines[line - 1].strip(), match[0], match.expand(put), match.start())
            )
    yield from sorted(found, key=lambda mutant: (mutant.start, mutant.put))


def _sql_in_python(text: str) -> str:
    """The text with everything blanked but literals that hold SQL, and in these what is interpolated."""
    kept = list(re.sub(r"[^\n]", " ", text))
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in prose:
            # Offsets count bytes, and what stands before a literal in its line is ASCII.
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            if _SQL.search(text[start:end]):
                kept[start:end] = re.sub(r"\{[^{}\n]*\}", _blank, text[start:end])
    return "".join(kept)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def sample(mutants: list[Mutant], count: int) -> list[Mutant]:
    """`count` of them, spread evenly over files and lines."""
    if count >= len(mutants):
        return mutants
    return [mutants[index * len(mutants) // count] for index in range(count)]
