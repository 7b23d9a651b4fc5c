"""The plan and queries that turn files with one set of columns into landed charges, for every format."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestration.sources.billing.formats.columns import (
    AMOUNTS,
    BILLED,
    NOT_ZERO_THROUGHOUT,
    SPELLED,
    Family,
    Kind,
    charges_schema,
)
from orchestration.sources.billing.formats.conversions import EMPTY_MAP, spelled
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.times import (
    LAST_USAGE_DATE,
    LONGEST_DAY,
    UNKNOWN_TIMES,
    USAGE_DATE,
    EndHabit,
    Times,
    UsageDays,
    billing_period,
)
from orchestration.warehouse.sql import quoted


@dataclass(frozen=True)
class Reading:
    """How files with one set of columns are read.

    `values` holds the SQL of every column of the family, `map_columns` the columns that a map is made of,
    where any row has a value for one; `conflicts` the SQL of a map's names with several values;
    `times` the SQL of when each charge was for. `amounts` holds the SQL of
    the money columns that the file has (`AMOUNTS`), `cut` that of what rounding to twelve digits takes from
    what a row bills. `used` lists the file's columns that are read, with the kind each must convert to;
    `unused` the others; `new` those of them that the provider's documentation does not name.
    """

    family: Family
    values: dict[str, str]
    map_columns: dict[str, tuple[SourceColumn, ...]]
    conflicts: dict[str, str]
    times: Times
    currency: str
    amounts: dict[str, str]
    cut: str
    used: tuple[tuple[SourceColumn, Kind], ...]
    unused: tuple[SourceColumn, ...]
    present: frozenset[str]  # landed columns present in the file
    new: frozenset[str]
    absent: tuple[str, ...]  # words that mean null
    repeated: tuple[str, ...]  # landed columns with several source columns

    def dictionary(self, name: str, relation: str) -> str:
        """A query for the distinct contents of a map's columns (`<name>_0`, …), the resulting map, the map
        with normalized keys, if it has one, and whether two values conflict for one of them.
        """
        columns = self.map_columns[name]
        keys = ", ".join(f"{column.sql} as {name}_{place}" for place, column in enumerate(columns))
        distinct = ", ".join(column.sql for column in columns)
        source = f"(select distinct {distinct} from {relation})"
        conflict = f"{self.conflicts[name]} is not null" if name in self.conflicts else "false"
        query = f"select {keys}, {self.values[name]} as {name}_map, {conflict} as has_conflict from {source}"
        if name not in SPELLED[self.family]:
            return query
        return f"select *, {spelled(self.family, f'{name}_map')} as {name}_spelled from ({query})"

    def content_counts(self, relation: str) -> str:
        """A query for the approximate number of distinct contents of each map's columns, in their order."""
        counts = ", ".join(
            f"approx_count_distinct(hash({', '.join(column.sql for column in columns)}))"
            for columns in self.map_columns.values()
        )
        return f"select {counts} from {relation}"

    def charges(
        self,
        relation: str,
        habits: Mapping[str | None, EndHabit],
        usage_days: Mapping[str, UsageDays],
        zero_costs: Collection[str],
        dictionaries: Mapping[str, str] | None = None,
    ) -> str:
        """A query for the landed charges of a relation.

        `habits` says how each provider writes the ends of charges, `usage_days` the days with usage of each
        billing month, `zero_costs` the columns that hold 0 for missing values. `dictionaries`
        names tables created by `dictionary`, by map column; these maps are looked up there, others are built
        row by row.
        """
        values = self.values | {
            "billing_period": billing_period(usage_days),
            "usage_date": USAGE_DATE,
            "last_usage_date": LAST_USAGE_DATE,
            "covered_from": "bill.t_from",
            "covered_until": "bill.t_until",
        }
        values |= dict.fromkeys(SPELLED[self.family].values(), EMPTY_MAP)
        values |= dict.fromkeys(zero_costs, "null")
        joins = ""
        for name, table in (dictionaries or {}).items():
            values[name] = f"{table}.{name}_map"
            if name in SPELLED[self.family]:
                values[SPELLED[self.family][name]] = f"{table}.{name}_spelled"
            same = " and ".join(
                f"bill.{column.sql} is not distinct from {table}.{name}_{place}"
                for place, column in enumerate(self.map_columns[name])
            )
            joins += f" join {table} on {same}"
        chosen = [
            f"cast({values[name]} as {kind}) as {quoted(name)}" if name in values else quoted(name)
            for name, kind in charges_schema(self.family).items()
        ]
        covered = self.times.covered(relation, habits, usage_days)
        query = f"select {', '.join(chosen)} from {covered} as bill{joins}"
        row_by_row = ", ".join(
            f"{spelled(self.family, name)} as {column}"
            for name, column in SPELLED[self.family].items()
            if name in self.map_columns and name not in (dictionaries or {})
        )
        return f"select * replace ({row_by_row}) from ({query})" if row_by_row else query

    def conflicting_tags(self, name: str, relation: str) -> str:
        """A query for names of a map with several values on a charge: month, currency, name, number of
        charges, what they bill, the values of the first one, its file and row.
        """
        return (
            "select strftime(t_month, '%Y-%m'), currency, conflict.key, count(*), "
            "cast(sum(billed) as decimal(38,12)), min_by(conflict['values'], (landed_file, landed_row)), "
            "min_by(landed_file, (landed_file, landed_row)), min_by(landed_row, (landed_file, landed_row)) "
            f"from (select t_month, {self.currency} as currency, landed_file, landed_row, "
            f"{self.amounts[BILLED[self.family]]} as billed, unnest({self.conflicts[name]}) as conflict "
            f"from {self.times.named(relation)}) group by 1, 2, 3 order by 1, 2, 3"
        )

    def _content(self) -> str:
        """SQL: the sum of hashes of the raw rows, without line item ids, which change with every delivery."""
        columns = dict.fromkeys((*(column for column, _ in self.used), *self.unused))
        ids = self.values.get("identity_line_item_id", "")
        hashed = [column.sql for column in columns if column.has_values and column.sql not in ids]
        return f"sum(hash({', '.join(hashed)})::hugeint)"

    def source_totals(self, relation: str, row_by_row: Collection[str] = ()) -> str:
        """A query for the sums of money and the counts of unused values, straight from the raw columns.

        Columns: billing_period, billing_currency, usage_date (of the start), whether the charges begin after
        their billing period (`is_late`) or are fees of a day (`is_fee_of_a_day`), provider, file, the first
        day of the period, row_count, the first and last row in the file, a hash of the rows' content
        (`content`), how many rows are usage, how their ends are written (`VOTES`), of each column of
        `NOT_ZERO_THROUGHOUT` how many rows need it (`needed0`, …) and do not have 0 (`had0`, …), how many
        rows have each of `UNKNOWN_TIMES` (`unknown0`, …) and what they bill (`billed0`, …), how many have
        conflicting tags in the maps `row_by_row` (`conflicts`), the sum of each of the family's amounts
        (null where the file lacks the column), what rounding took from what is billed (`cut`) in how many
        rows (`cut_rows`), then for each unused column a count (`u0`, …) and, where it is a new one, what the
        rows with a value in it bill (`s0`, …).
        """
        billed = self.amounts[BILLED[self.family]]
        sums = "".join(
            f", cast(sum({self.amounts.get(name, 'null')}) as decimal(38,12)) as {name}"
            for name in AMOUNTS[self.family]
        )
        counts = "".join(
            f", count({_present(column)}) as u{place}" for place, column in enumerate(self.unused)
        ) + "".join(
            f", cast(coalesce(sum({billed}) filter (where {_present(column)} is not null), 0) "
            f"as decimal(38,12)) as s{place}"
            for place, column in enumerate(self.unused)
            if column.header in self.new
        )
        counts += "".join(
            f", count(*) filter ({when.format_map(self.values)}) as needed{place}, "
            f"count(*) filter ({self.values[name]} <> 0) as had{place}"
            for place, (name, when) in enumerate(NOT_ZERO_THROUGHOUT[self.family].items())
        )
        counts += "".join(
            f", count(*) filter ({when}) as unknown{place}, "
            f"cast(coalesce(sum({billed}) filter ({when}), 0) as decimal(38,12)) as billed{place}"
            for place, when in enumerate(UNKNOWN_TIMES)
        )
        unclear = [f"{self.conflicts[name]} is not null" for name in row_by_row if name in self.conflicts]
        counts += f", count(*) filter ({' or '.join(unclear) or 'false'}) as conflicts"
        return (
            "select strftime(t_month, '%Y-%m') as billing_period, * exclude (t_month) from ("
            f"select t_month, {self.currency} as billing_currency, "
            f"{USAGE_DATE} as usage_date, t_is_late as is_late, t_is_fee_of_a_day as is_fee_of_a_day, "
            "t_provider as provider, landed_file, "
            "min(cast(t_period_start as date)) as period_day, "
            "count(*) as row_count, min(landed_row) as first_row, max(landed_row) as last_row, "
            f"{self._content()} as content, "
            f"count(*) filter (t_is_usage and coalesce(t_length <= {LONGEST_DAY}, true)) as usage_rows, "
            f"{self.times.votes()}{sums}, "
            f"sum({self.cut}) as cut, count(*) filter ({self.cut} <> 0) as cut_rows{counts} "
            f"from {self.times.named(relation)} group by 1, 2, 3, 4, 5, 6, 7)"
        )


def empty_charges(family: Family) -> str:
    """A query with all columns of charges and no rows."""
    chosen = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in charges_schema(family).items())
    return f"select {chosen} where false"


def _present(column: SourceColumn) -> str:
    if not column.has_values:
        return "null"
    if column.type == "VARCHAR":
        return f"nullif({column.sql}, '')"
    if column.type.startswith("MAP("):
        return f"nullif(cardinality({column.sql}), 0)"
    if column.type.endswith("[]"):
        return f"nullif(len({column.sql}), 0)"
    return column.sql
