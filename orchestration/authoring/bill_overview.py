"""What a bill has to write rules from: its tags, accounts and services, with their cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from orchestration.outputs.read_only import rows_of


@dataclass(frozen=True)
class CostOf:
    """Cost of a value of a tag (`key`), or of an account or service (`key` is that word).

    `value_count` is the number of values of the key, `folded_count` without regard to capitals and blanks.
    """

    kind: str
    key: str
    value: str
    billing_currency: str
    cost: Decimal
    key_cost: Decimal
    bill_cost: Decimal
    value_count: int
    folded_count: int

    @property
    def percent_of_bill(self) -> Decimal:
        """Share of the bill that has the key."""
        return 100 * self.key_cost / self.bill_cost if self.bill_cost else Decimal(0)


_COSTS = """
with
    signs as (
        select
            unnest(
                [
                    {'kind': 'service', 'key': 'service', 'value': service_name},
                    {
                        'kind': 'account',
                        'key': 'account',
                        'value': concat_ws(' ', sub_account_id, sub_account_name)
                    }
                ]
                || list_transform(
                    map_entries(tags), lambda tag: {'kind': 'tag', 'key': tag.key, 'value': tag.value}
                )
            ) as sign,
            billing_currency,
            {cost} as cost
        from {charges}
    ),
    by_value as (
        select
            sign.kind as kind, sign.key as key, sign.value as value, billing_currency,
            sum(cost)::decimal(38, 12) as cost
        from signs
        where sign.value <> ''
        group by all
    ),
    by_currency as (
        select billing_currency, sum({cost})::decimal(38, 12) as bill_cost
        from {charges}
        group by all
    ),
    by_key as (
        select
            kind, key, billing_currency, sum(cost)::decimal(38, 12) as key_cost,
            count(*) as value_count, count(distinct lower(trim(value))) as folded_count
        from by_value
        group by all
    )
select *
from by_value
join by_key using (kind, key, billing_currency)
join by_currency using (billing_currency)
order by kind = 'tag' desc, kind, key_cost desc, key, billing_currency, cost desc, value
"""


def costs_of_bill(
    warehouse: duckdb.DuckDBPyConnection, charges: str, cost: str = "effective_cost"
) -> list[CostOf]:
    """The costs of every value in the relation `charges`: tags first, the costliest key and value first."""
    query = _COSTS.replace("{charges}", charges).replace("{cost}", cost)
    return [CostOf(**row) for row in rows_of(warehouse, query)]


def by_key(costs: Sequence[CostOf]) -> dict[tuple[str, str, str], list[CostOf]]:
    """The values of each kind, key and currency."""
    found: dict[tuple[str, str, str], list[CostOf]] = {}
    for cost in costs:
        found.setdefault((cost.kind, cost.key, cost.billing_currency), []).append(cost)
    return found
