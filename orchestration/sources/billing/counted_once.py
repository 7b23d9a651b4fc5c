"""Find deliveries with the same content, and deliveries with the same charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.sources.billing import landed
from orchestration.sources.billing.charge_keys import account_name, charge_keys
from orchestration.sources.billing.overlaps import OVERLAPS

Name = tuple[str, str]
"""Export and delivery."""

_DAYS = "read_parquet(?, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"


@dataclass(frozen=True)
class Overlap:
    """Charges of one account and month that are in two deliveries, with their days and money."""

    month: str
    account: str
    first: Name
    second: Name
    first_day: str
    last_day: str
    money: dict[str, Decimal]


def copies(landing: Path) -> list[tuple[Name, Name]]:
    """Deliveries with the same days as another one, charge by charge: (copy, original)."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            with contents as (
                select
                    source_name,
                    delivery,
                    family || string_agg(
                        concat_ws('/', billing_period, billing_currency, usage_date, row_count, fingerprint),
                        ' '
                        order by billing_period, billing_currency, usage_date
                    ) as content
                from {_DAYS}
                group by source_name, delivery, family
            )
            select
                source_name,
                delivery,
                first_value(source_name) over same as first_source,
                first_value(delivery) over same as first_delivery
            from contents
            window same as (partition by content order by source_name, delivery)
            qualify row_number() over same > 1
            """,
            [str(landed.days_file(landing, "*", "*"))],
        ).fetchall()
    return [((source, delivery), (first, same)) for source, delivery, first, same in rows]


def overlaps(landing: Path) -> list[Overlap]:
    """Pairs of deliveries that bill the same charges of an account on the same days.

    Charges are compared one by one if both deliveries have the same unit of time, and of charges of resources
    also those whose amounts differ by up to a tenth (a restated month). Deliveries of another unit of time or
    in other words (another format, another name of the provider) are compared as sums by day (by month, if
    one is monthly), to the digits that both have. A day counts as billed twice if the common charges are
    worth half of the smaller delivery's day, so chunks of one bill, and files of a few hours each, are not
    mistaken for copies.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        involved = connection.execute(
            f"""
            with days as (
                select distinct
                    family, source_name, delivery, billing_period, usage_date,
                    {account_name("unnest(billing_account_ids)")} as account
                from {_DAYS}
                where row_count > 0
            )
            select family, source_name, delivery
            from days
            where (billing_period, coalesce(account, '')) in (
                select (billing_period, coalesce(account, ''))
                from days group by all having count(distinct (source_name, delivery)) > 1
            )
            group by all
            order by all
            """,
            [str(landed.days_file(landing, "*", "*"))],
        ).fetchall()
        if not involved:
            return []
        names = [(source, delivery) for _, source, delivery in involved]
        charges = " union all ".join(
            f"select {place} as delivery, * from "
            + charge_keys(family, landed.charges_file(landing, family, source, delivery))
            for place, (family, source, delivery) in enumerate(involved)
        )
        connection.execute(f"create table charges as {charges}").fetchall()
        rows = connection.execute(OVERLAPS).fetchall()
    found: dict[tuple[str, str, int, int], Overlap] = {}
    for month, account, first, second, currency, first_day, last_day, money in rows:
        overlap = found.setdefault(
            (month, account, first, second),
            Overlap(month, account, names[first], names[second], str(first_day), str(last_day), {}),
        )
        overlap.money[currency] = money
    return list(found.values())


def described(overlap: Overlap, shown: Mapping[Name, str]) -> str:
    """What is billed twice, in one sentence; `shown` names the source of each delivery."""
    money = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(overlap.money.items()))
    places: Sequence[str] = [
        shown.get(name, f"{name[0]}/{name[1]}") for name in (overlap.first, overlap.second)
    ]
    days = overlap.first_day
    if overlap.last_day != overlap.first_day:
        days += f" to {overlap.last_day}"
    return (
        f"{overlap.month}: account {overlap.account or 'unknown'} is billed twice for {days}: {money} is "
        f"both in {places[0]} and in {places[1]}"
    )
