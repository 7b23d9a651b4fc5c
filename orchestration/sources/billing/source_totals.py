"""Totals of a delivery's raw files: sums of their money columns, and columns that are not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from orchestration.sources.billing.formats.columns import (
    AMOUNTS,
    BILLED,
    NOT_ZERO_THROUGHOUT,
    SPELLED,
    Family,
)
from orchestration.sources.billing.formats.files import DataFile, relation
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.formats.times import UNKNOWN_TIMES, VOTES, EndHabit, UsageDays, end_habit
from orchestration.sources.landing.notes import Note


@dataclass
class ColumnReport:
    """What a delivery's files contain besides what is read: columns with their number of values.

    `new_spend` is the billed amount of rows with a value in a new column, per currency. `cut` is what
    rounding to twelve digits took from the billed amount, per currency, with the number of rows; only if it
    took any. `habits` says how each provider writes the ends of its charges, `usage_days` are the days with
    usage of each billing month, `zero_costs` the required columns with only 0; `notes` tell of charges
    without a start or end, and of providers without a cost. `unchecked_maps` may have control characters,
    `has_conflicts` says whether tags have two values.
    """

    unused: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    new_spend: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    cut: dict[str, tuple[Decimal, int]] = field(default_factory=dict)
    habits: dict[str | None, EndHabit] = field(default_factory=dict)
    usage_days: dict[str, UsageDays] = field(default_factory=dict)
    zero_costs: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unchecked_maps: set[str] = field(default_factory=set)
    has_conflicts: bool = False


def source_totals(
    connection: duckdb.DuckDBPyConnection,
    groups: list[tuple[Reading, list[DataFile]]],
    dictionaries: list[dict[str, str]],
) -> ColumnReport:
    """Fill table `source_totals` from the raw files, and count values that are not read.

    `dictionaries` are each group's tables of maps; other maps are looked at row by row.

    One row per billing period, currency, first day of charges and file: row count, the first and last of the
    rows, a hash of them, and the sum of every money column.
    """
    report = ColumnReport()
    family = groups[0][0].family
    names = AMOUNTS[family]
    columns = "".join(f", {name} decimal(38,12)" for name in names)
    connection.execute(
        "create or replace temp table source_totals (billing_period varchar, billing_currency varchar, "
        "usage_date date, is_late boolean, is_fee_of_a_day boolean, landed_file varchar, row_count bigint, "
        f"first_row bigint, last_row bigint, content hugeint{columns})"
    ).fetchall()
    votes = ", ".join(f"{name} bigint" for name in VOTES)
    connection.execute(
        "create or replace temp table end_votes (provider varchar, billing_period varchar, usage_date date, "
        f"is_late boolean, period_day date, usage_rows bigint, billing_currency varchar, "
        f"billed decimal(38,12), {votes}{_needs(family, ' bigint')})"
    ).fetchall()
    for (reading, group), known in zip(groups, dictionaries, strict=True):
        row_by_row = [name for name in SPELLED[family] if name not in known and name in reading.map_columns]
        report.unchecked_maps.update(row_by_row)
        connection.execute(
            "create or replace temp table raw_totals as " + reading.source_totals(relation(group), row_by_row)
        ).fetchall()
        (conflicts,) = connection.execute("select sum(conflicts) > 0 from raw_totals").fetchall()[0]
        report.has_conflicts = report.has_conflicts or bool(conflicts)
        connection.execute(
            "insert into source_totals select billing_period, billing_currency, usage_date, is_late, "
            f"is_fee_of_a_day, landed_file, row_count, first_row, last_row, content, {', '.join(names)} "
            "from raw_totals"
        ).fetchall()
        connection.execute(
            "insert into end_votes select provider, billing_period, usage_date, is_late, period_day, "
            f"usage_rows, billing_currency, {BILLED[family]}, {', '.join(VOTES)}{_needs(family)} "
            "from raw_totals"
        ).fetchall()
        report.repeated.update(reading.repeated)
        report.notes += _unknown_times(connection, group)
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
    _find_times(connection, report)
    _find_zero_costs(connection, family, report)
    return report


def left_out(report: ColumnReport, delivery: str) -> list[Note]:
    """Notes on columns that the provider's documentation lacks, with their spend, and on digits cut."""
    nothing: dict[str | None, Decimal | None] = {None: None}
    columns = [
        Note(
            "column-not-documented",
            f"the provider's documentation lacks the column {name}, so it is not read",
            "note",
            subject=f"{delivery}: {name}",
            row_count=count,
            billing_currency=currency,
            effective_cost=billed,
        )
        for name, count in report.new.items()
        if count
        for currency, billed in (report.new_spend.get(name) or nothing).items()
    ]
    cuts = [
        Note(
            "digits-cut",
            f"billed costs have more than twelve decimals; what was cut sums to {amount:.24f} {currency}",
            "note",
            subject=delivery,
            row_count=rows,
            billing_currency=currency,
        )
        for currency, (amount, rows) in report.cut.items()
    ]
    return columns + cuts


def _unknown_times(connection: duckdb.DuckDBPyConnection, group: list[DataFile]) -> list[Note]:
    """Notes on charges whose time the files do not say, from `raw_totals`."""
    notes = []
    for place, description in enumerate(UNKNOWN_TIMES.values()):
        found = connection.execute(
            f"select billing_period, billing_currency, sum(unknown{place})::bigint, sum(billed{place}) "
            f"from raw_totals where unknown{place} > 0 group by all order by all"
        ).fetchall()
        notes += [
            Note(
                "charge-without-time",
                f"charges {description}",
                "note" if description.startswith("have no end") else "warning",
                row_count=count,
                billing_period=period,
                billing_currency=currency,
                effective_cost=billed,
                place=group[0].shown,
            )
            for period, currency, count, billed in found
        ]
    return notes


def _needs(family: Family, kind: str = "") -> str:
    return "".join(
        f", needed{place}{kind}, had{place}{kind}" for place in range(len(NOT_ZERO_THROUGHOUT[family]))
    )


def _find_zero_costs(connection: duckdb.DuckDBPyConnection, family: Family, report: ColumnReport) -> None:
    """Columns that hold 0 in place of missing values: their sums count as missing."""
    for place, name in enumerate(NOT_ZERO_THROUGHOUT[family]):
        # A provider's zeros beside another one's costs stay as they are: the column is there and says 0.
        (is_zero,) = connection.execute(
            f"select coalesce(sum(needed{place}) > 0 and sum(had{place}) = 0, false) from end_votes"
        ).fetchall()[0]
        if is_zero:
            report.zero_costs.append(name)
        elif family == "focus" and name != "effective_cost":  # whose zeros the bridge of costs tells
            report.notes += _zeros_of_providers(connection, place, name)
        if is_zero and family == "aws_cur":
            connection.execute(f"update source_totals set {name} = null").fetchall()


def _zeros_of_providers(connection: duckdb.DuckDBPyConnection, place: int, name: str) -> list[Note]:
    """Notes on providers whose every row has 0 for a cost that the rows of others have."""
    found = connection.execute(
        "select coalesce(provider, 'no provider'), billing_period, billing_currency, "
        f"sum(needed{place})::bigint, sum(billed) from end_votes where needed{place} > 0 "
        "and coalesce(provider, '') in ("
        f"select coalesce(provider, '') from end_votes group by 1 having sum(needed{place}) > 0 "
        f"and sum(had{place}) = 0) group by all order by all"
    ).fetchall()
    return [
        Note(
            "cost-zero-of-provider",
            f"{name} is 0 on every row of {provider} and counts as 0, since other rows of the bill have "
            "it; ask the provider, or deliver its rows as a bill of their own, where 0 counts as missing",
            subject=f"{provider}: {name}",
            row_count=count,
            billing_period=period,
            billing_currency=currency,
            effective_cost=billed,
        )
        for provider, period, currency, count, billed in found
    ]


def _find_times(connection: duckdb.DuckDBPyConnection, report: ColumnReport) -> None:
    """How ends are written, and each month's days with usage; charges booked ahead move to the first one."""
    sums = ", ".join(f"sum({name})::bigint" for name in VOTES)
    for provider, *votes in connection.execute(
        f"select provider, {sums} from end_votes group by 1"
    ).fetchall():
        report.habits[provider] = end_habit(*votes)
    found = connection.execute(
        "select billing_period, coalesce(min(usage_date) filter (has_usage), min(period_day)), "
        "max(usage_date) filter (has_usage) from (select *, "
        "usage_rows > 0 and not is_late and usage_date >= period_day as has_usage from end_votes) "
        "where billing_period is not null group by 1"
    ).fetchall()
    for month, first, last in found:
        report.usage_days[month] = UsageDays(first, last)
        connection.execute(
            "update source_totals set usage_date = $first where billing_period = $month "
            "and (is_late or is_fee_of_a_day and usage_date > $last)",
            {"month": month, "first": first, "last": last},
        ).fetchall()


def _add_spend(connection: duckdb.DuckDBPyConnection, spend: dict[str, Decimal], place: int) -> None:
    """Add the billed amount of rows with a value in one unused column, from `raw_totals`, per currency."""
    sums = connection.execute(
        f"select billing_currency, sum(s{place}) from raw_totals where u{place} > 0 "
        "and billing_currency is not null group by 1 order by 1"
    ).fetchall()
    for currency, billed in sums:
        spend[currency] = spend.get(currency, Decimal(0)) + billed
