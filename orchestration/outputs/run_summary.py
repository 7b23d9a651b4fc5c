"""What a run ends with: where the bill's money went, what was rejected, and what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.outputs.read_only import open_published, open_working, rows_of
from orchestration.outputs.report.report import FILE_NAME
from orchestration.outputs.warnings import DataWarning, published_warnings
from orchestration.settings import Settings

# Cost that a rule, usage or a customer's name could bring to customers; the other reasons are decisions.
_INTENDED = ("not cost of goods sold", "day to come")
_MUCH = Decimal(20)  # percent
# Notes that the end of a run lists apart.
_LISTED = ("column-not-documented", "digits-cut")

_COSTS = """
select
    billing_currency,
    min(billing_month) as first_month,
    max(billing_month) as last_month,
    sum(effective_cost)::decimal(38, 12) as total,
    coalesce(sum(effective_cost) filter (unallocated_reason is null), 0)::decimal(38, 12) as to_customers,
    count(distinct customer_id) filter (unallocated_reason is null) as customer_count
from customer_costs_monthly
group by billing_currency
order by total desc
"""
_UNALLOCATED = """
select billing_currency, unallocated_reason as reason, sum(effective_cost)::decimal(38, 12) as effective_cost
from customer_costs_monthly
where unallocated_reason is not null
group by all
order by effective_cost desc
"""
_REJECTED = """
select source, reason, location as file, count(*) as row_count
from usage.quarantine
group by all
union all
select 'revenue' as source, reason, source_file as file, count(*) as row_count
from marts.revenue_quarantine
group by all
order by row_count desc, source, file, reason
"""

# A row for each that there is; without usage or rules no cost can reach customers.
_THERE = """
select 'rules' as input from rules.allocation_rules
union
select 'usage' from usage.usage_by_day
union
select 'customers' from marts.customers where is_listed
"""


@dataclass(frozen=True)
class CostSummary:
    """Effective cost of all months in one currency, and where it went."""

    billing_currency: str
    first_month: str
    last_month: str
    total: Decimal
    to_customers: Decimal
    customer_count: int
    unallocated: Mapping[str, Decimal]

    @property
    def open(self) -> Decimal:
        """Cost that no customer carries, although nothing says that none should."""
        return sum((cost for reason, cost in self.unallocated.items() if reason not in _INTENDED), Decimal(0))

    def percent(self, part: Decimal) -> Decimal:
        """A part of the total."""
        return 100 * part / self.total if self.total else Decimal(0)

    @property
    def much_is_open(self) -> bool:
        """Whether so much is `open` that the run's figures per customer say little."""
        counted = self.open + self.to_customers
        return counted > 0 and 100 * self.open > _MUCH * counted


@dataclass(frozen=True)
class RunSummary:
    """The result of a run; `missing` says what keeps cost from customers, if a kind of input is not there."""

    snapshot: str
    changed: bool
    database: Path
    report: Path
    costs: Sequence[CostSummary]
    rejected: Sequence[Mapping[str, Any]]
    missing: Sequence[str]
    warnings: Sequence[DataWarning]

    @property
    def unknown_columns(self) -> list[str]:
        """Columns that the provider's documentation lacks, with the money of their rows."""
        return [
            f"{each.subject}: {each.row_count:,} values on rows that bill {each.effective_cost or 0:,.2f} "
            f"{each.billing_currency or ''}".rstrip()
            for each in self._of("column-not-documented")
        ]

    @property
    def cut_digits(self) -> list[str]:
        """What rounding to twelve digits took from the bills."""
        return [
            f"{each.subject}: {each.message}, in {each.row_count:,} rows" for each in self._of("digits-cut")
        ]

    @property
    def other_warnings(self) -> list[DataWarning]:
        """The warnings without those two lists."""
        return [each for each in self.warnings if each.code not in _LISTED]

    def as_json(self) -> dict[str, Any]:
        """For machines; amounts are decimal texts."""
        costs = [{**asdict(cost), "open": cost.open} for cost in self.costs]
        lists = {"unknown_columns": self.unknown_columns, "cut_digits": self.cut_digits}
        return {**asdict(self), **lists, "costs": costs}

    def _of(self, code: str) -> list[DataWarning]:
        return [each for each in self.warnings if each.code == code]


def summary_of_run(settings: Settings, snapshot: str, *, changed: bool) -> RunSummary:
    """The summary of the published snapshot."""
    with open_published(settings) as marts:
        costs = rows_of(marts, _COSTS)
        unallocated = rows_of(marts, _UNALLOCATED)
    with open_working(settings) as warehouse:
        rejected = rows_of(warehouse, _REJECTED)
        there = {row["input"] for row in rows_of(warehouse, _THERE)}
    summaries = [
        CostSummary(
            row["billing_currency"],
            f"{row['first_month']:%Y-%m}",
            f"{row['last_month']:%Y-%m}",
            row["total"],
            row["to_customers"],
            row["customer_count"],
            {
                each["reason"]: each["effective_cost"]
                for each in unallocated
                if each["billing_currency"] == row["billing_currency"]
            },
        )
        for row in costs
    ]
    all_rejected = any(row["source"] == "telemetry" for row in rejected)
    return RunSummary(
        snapshot,
        changed,
        settings.published_folder / "current.duckdb",
        settings.published_folder / FILE_NAME,
        summaries,
        rejected,
        _missing(settings, there, all_rejected) if any(cost.open for cost in summaries) else [],
        published_warnings(settings),
    )


def _missing(settings: Settings, there: set[str], all_rejected: bool) -> list[str]:
    """What to add, for each kind of input that is not `there`."""
    usage = (
        "every record is rejected, for the reasons above"
        if all_rejected
        else f"put files like examples/usage.jsonl (of cpc init) into {settings.location_of('telemetry')}, "
        "or let contexts/usage.yml pull it (docs/pulls.md)"
    )
    said = {
        "rules": f"no allocation rule says who pays: add one to {settings.contexts / 'allocation.yml'}",
        "usage": f"no usage to divide cost by: {usage}",
        "customers": "no customer list, so no names and segments: put a file like examples/customers.csv "
        f"(of cpc init) into {settings.location_of('customers')}",
    }
    return [text for name, text in said.items() if name not in there]
