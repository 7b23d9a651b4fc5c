"""Count lines of access logs by hour or day and by a field, in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.compiler.language.pulls import Pull
from orchestration.sources.telemetry.pulls.readers.reader import (
    Access,
    Quantity,
    Window,
    customer_sql,
    readable,
)

# A log is text; a line that no rule of CSV can take apart.
_LINES = """
    read_csv(
        $files, columns = {'line': 'VARCHAR'}, delim = chr(1), quote = '', escape = '', comment = '',
        header = false, auto_detect = false, ignore_errors = true, strict_mode = false
    )
"""
_COUNTED = """
    WITH fields AS (
        SELECT line, regexp_extract(line, $pattern, $names) AS said FROM {lines} WHERE trim(line) <> ''
    ),
    timed AS (SELECT line, {time} AS moment, {customer} AS customer, {value} AS value FROM fields)
    SELECT
        time_bucket($step, moment, $start) AS period,
        customer,
        sum(value) FILTER (moment >= $start AND moment < $end) AS value,
        count(*) FILTER (moment IS NULL) AS unreadable,
        any_value(line) FILTER (moment IS NULL) AS example
    FROM timed
    WHERE moment IS NULL OR (moment >= $start AND moment < $end)
    GROUP BY ALL
"""


@dataclass(frozen=True)
class LogFormat:
    """Lines of a log: a regular expression whose groups are `names`, and SQL over the struct `said` of them.

    `fields` and `values` are what a pull may name as customer and value; `time` is NULL for another line.
    """

    name: str
    pattern: str
    names: tuple[str, ...]
    time: str
    fields: dict[str, str]
    values: dict[str, str]


def count(
    form: LogFormat, files: Sequence[Path], pull: Pull, window: Window, access: Access
) -> Iterator[Quantity]:
    """Usage in the window; lines of another form are a remark."""
    if not files:
        return
    value = form.values[pull.option("value", "requests")]
    query = _COUNTED.format(
        lines=_LINES,
        time=form.time,
        customer=customer_sql(pull, f"nullif({form.fields[pull.customer]}, '-')"),
        value=value,
    )
    given = {
        "files": [str(path) for path in files],
        "pattern": form.pattern,
        "start": window.start,
        "end": window.end,
        "step": window.step,
    }
    names = "[" + ", ".join(f"'{name}'" for name in form.names) + "]"
    with readable(pull.origin, str(files[0].parent)), duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(query.replace("$names", names), given).fetchall()
    unreadable = sum(row[3] for row in rows)
    if unreadable:
        example = next(row[4] for row in rows if row[4])
        access.remarks.append(
            f"{unreadable:,} lines are not of the form {form.name}, such as: {example[:200]}"
        )
    for period, customer, quantity, _, _ in rows:
        if quantity is not None:
            yield Quantity(period, customer, int(quantity))
