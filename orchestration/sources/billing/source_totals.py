"""What a delivery's files say of themselves: sums of their money columns, and the columns that nothing reads.

What belongs here: queries over the raw files apart from the landing, so that what has landed can be held to
them. What does not: how a file is read (`formats`), or what becomes of the sums (`delivery`, and the mart
`reconciliation`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from orchestration.sources.billing.formats.columns import AMOUNTS
from orchestration.sources.billing.formats.files import DataFile, relation
from orchestration.sources.billing.formats.reading import Reading


@dataclass
class ColumnReport:
    """What a delivery's files have besides what is read: columns with the number of values in them.

    `new_spend` is what the rows with a value in a new column bill, per currency. `cut` is what rounding to
    twelve digits took from what is billed, per currency, with the number of rows; only where it took any.
    """

    unused: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    new_spend: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    cut: dict[str, tuple[Decimal, int]] = field(default_factory=dict)


def source_totals(
    connection: duckdb.DuckDBPyConnection, groups: list[tuple[Reading, list[DataFile]]]
) -> ColumnReport:
    """Fill table `source_totals` from the raw files, and count what is not read.

    One row per billing period, currency and usage day of each group: rows, and the sum of every money column.
    """
    report = ColumnReport()
    names = AMOUNTS[groups[0][0].family]
    columns = "".join(f", {name} decimal(38,12)" for name in names)
    connection.execute(
        "create or replace temp table source_totals (billing_period varchar, billing_currency varchar, "
        f"usage_date date, row_count bigint{columns})"
    ).fetchall()
    for reading, group in groups:
        connection.execute(
            f"create or replace temp table raw_totals as {reading.source_totals(relation(group))}"
        ).fetchall()
        connection.execute(
            "insert into source_totals select billing_period, billing_currency, usage_date, row_count, "
            f"{', '.join(names)} from raw_totals"
        ).fetchall()
        report.repeated.update(reading.repeated)
        cuts = connection.execute(
            "select billing_currency, sum(cut), sum(cut_rows)::bigint from raw_totals where cut_rows > 0 "
            "and billing_currency is not null group by 1 order by 1"
        ).fetchall()
        for currency, cut, rows in cuts:
            before, rows_before = report.cut.get(currency, (Decimal(0), 0))
            report.cut[currency] = before + cut, rows_before + rows
        if not reading.unused:
            continue
        sums = ", ".join(f"coalesce(sum(u{place}), 0)::bigint" for place in range(len(reading.unused)))
        counts = connection.execute(f"select {sums} from raw_totals").fetchall()[0]
        for place, (column, count) in enumerate(zip(reading.unused, counts, strict=True)):
            report.unused[column.header] = report.unused.get(column.header, 0) + count
            if column.header in reading.new:
                report.new[column.header] = report.new.get(column.header, 0) + count
                _add_spend(connection, report.new_spend.setdefault(column.header, {}), place)
    return report


def _add_spend(connection: duckdb.DuckDBPyConnection, spend: dict[str, Decimal], place: int) -> None:
    """Add what the rows with a value in one unused column bill, from `raw_totals`, per currency."""
    sums = connection.execute(
        f"select billing_currency, sum(s{place}) from raw_totals where u{place} > 0 "
        "and billing_currency is not null group by 1 order by 1"
    ).fetchall()
    for currency, billed in sums:
        spend[currency] = spend.get(currency, Decimal(0)) + billed
