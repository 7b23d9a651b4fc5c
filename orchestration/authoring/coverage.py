"""How much of the bill the contexts explain, per dimension and month, and what no rule matches yet.

Applies the current contexts to the charges of the last run; the mart `context_coverage` has the same for the
contexts of the last run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from orchestration.outputs.read_only import rows_of


@dataclass(frozen=True)
class MonthOfDimension:
    """Effective cost of a month by how a dimension got its element: a rule, the default, or not at all."""

    usage_month: date
    billing_currency: str
    dimension: str
    matched: Decimal
    by_default: Decimal
    unmatched: Decimal

    @property
    def total(self) -> Decimal:
        """Effective cost of the whole month."""
        return self.matched + self.by_default + self.unmatched

    def percent(self, part: Decimal) -> Decimal | None:
        """`part` as a percentage of the total, two digits; None if the month has no cost."""
        return None if self.total == 0 else (100 * part / self.total).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class UnclaimedGroup:
    """Charges of all months that no rule of the dimension matches, grouped one way.

    `grouped_by` is `service`, `account`, `usage type` or `tag`, `group` the value (`key=value` for a tag).
    Groups of a kind do not overlap, except tags: a charge is in the group of each of its tags.
    """

    dimension: str
    billing_currency: str
    grouped_by: str
    group: str
    charge_count: int
    effective_cost: Decimal


def coverage_by_month(
    profiles: duckdb.DuckDBPyConnection, dimensions: Sequence[str]
) -> list[MonthOfDimension]:
    """One entry per dimension, month and currency, in that order; reads the table `profiles`."""
    found = []
    for name in dimensions:
        rows = rows_of(
            profiles,
            f"""
            select
                usage_month,
                billing_currency,
                '{name}' as dimension,
                coalesce(sum(effective_cost) filter ("{name}_rule" > 0), 0)::decimal(38, 12) as matched,
                coalesce(sum(effective_cost) filter ("{name}_rule" = 0), 0)::decimal(38, 12) as by_default,
                coalesce(sum(effective_cost) filter ("{name}_rule" is null), 0)::decimal(38, 12) as unmatched
            from profiles
            group by usage_month, billing_currency
            order by usage_month, billing_currency
            """,
        )
        found += [MonthOfDimension(**row) for row in rows]
    return found


def largest_unclaimed(
    profiles: duckdb.DuckDBPyConnection, dimensions: Sequence[str], top: int
) -> list[UnclaimedGroup]:
    """Per dimension, currency and grouping, the `top` costliest groups that no rule matches."""
    account = "coalesce(sub_account_name || ' ', '') || coalesce(sub_account_id, '(none)')"
    ways = {
        "service": ("coalesce(service_name, '(none)')", "profiles"),
        "account": (account, "profiles"),
        "usage type": ("coalesce(x_usage_type, '(none)')", "profiles"),
        "tag": (
            "_tag.key || '=' || _tag.value",
            "profiles, unnest(map_entries(tags)) as _unnested(_tag)",
        ),
    }
    found = []
    for dimension in dimensions:
        for way, (group, source) in ways.items():
            rows = rows_of(
                profiles,
                f"""
                select
                    '{dimension}' as dimension,
                    billing_currency,
                    '{way}' as grouped_by,
                    {group} as "group",
                    sum(charge_count)::bigint as charge_count,
                    sum(effective_cost)::decimal(38, 12) as effective_cost
                from {source}
                where coalesce("{dimension}_rule", 0) = 0
                group by billing_currency, "group"
                qualify
                    row_number() over (
                        partition by billing_currency order by sum(effective_cost) desc, "group"
                    ) <= $top
                order by billing_currency, effective_cost desc, "group"
                """,
                {"top": top},
            )
            found += [UnclaimedGroup(**row) for row in rows]
    return found
