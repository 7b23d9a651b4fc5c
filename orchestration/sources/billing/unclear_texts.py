"""Texts of a bill that stand for more than one thing: control characters, and tags with two values."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb

from orchestration.sources.billing.empty_columns import NAMED_BY_RULES
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import BILLED, SPELLED, Family
from orchestration.sources.billing.formats.files import DataFile, relation
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.files.text import has_control_character
from orchestration.sources.landing.notes import Note


def map_has_control_character(name: str) -> str:
    """SQL: whether a value of a map has a control character."""
    return has_control_character(f"array_to_string(map_values({name}), '')")


def reject_control_characters(
    connection: duckdb.DuckDBPyConnection,
    charges: str,
    family: Family,
    maps: Collection[str],
    files: list[DataFile],
) -> None:
    """Raise `BillingError` for a name or id with a control character such as NUL in `charges` (SQL that reads
    them).

    No other source accepts them: exports and people cannot tell such an id from another. `maps` names the
    maps whose values are unknown yet.
    """
    texts = {
        name: sql
        for name, sql in NAMED_BY_RULES[family].items()
        if not sql.startswith("nullif") and name != "consumed_quantity"
    }
    # Quick, and nearly always enough: JSON is longer by more than the quotes if it escapes anything but DEL.
    every = f"concat({', '.join(texts.values())})"
    quick = f"strlen(to_json({every})::varchar) <> strlen({every}) + 2 or contains({every}, chr(127))"
    if not maps and not connection.execute(f"select bool_or({quick}) from {charges}").fetchall()[0][0]:
        return
    checks = {name: f"case when {quick} then {has_control_character(sql)} end" for name, sql in texts.items()}
    checks |= {name: map_has_control_character(name) for name in maps}
    counts = ", ".join(f"count(*) filter ({check})" for check in checks.values())
    found = connection.execute(f"select {counts} from {charges}").fetchall()[0]
    for (name, check), count in zip(checks.items(), found, strict=True):
        if count:
            billed, first = connection.execute(
                f"select sum({BILLED[family]})::decimal(38,2), min((landed_file, landed_row)) "
                f"from {charges} where {check}"
            ).fetchall()[0]
            key, row = first.values() if isinstance(first, dict) else first
            shown = next(file.shown for file in files if file.key == key)
            raise BillingError(
                f"{shown}: data row {row}: {name} has a control character, such as NUL, in {count:,} rows "
                f"that bill {billed:,}; remove it and deliver the file again. Nothing of this delivery was "
                "landed"
            )


def tag_conflict_notes(
    connection: duckdb.DuckDBPyConnection, groups: Iterable[tuple[Reading, list[DataFile]]]
) -> list[Note]:
    """Notes on tags with several values on one charge, because keys are the same name in two spellings."""
    found: list[Note] = []
    for reading, group in groups:
        shown = {file.key: file.shown for file in group}
        for name in SPELLED[reading.family]:
            if name in reading.conflicts:
                found += [
                    Note(
                        "tag-with-two-values",
                        f"charges have several values for {key}, such as {values}, under keys that are one "
                        "name (capitals and punctuation do not count); the value of the key that sorts first "
                        "counts: remove the other",
                        subject=key,
                        row_count=count,
                        billing_period=period,
                        billing_currency=currency,
                        effective_cost=billed,
                        place=f"{shown[file]} row {row}",
                    )
                    for period, currency, key, count, billed, values, file, row in connection.execute(
                        reading.conflicting_tags(name, relation(group))
                    ).fetchall()
                ]
    return found
