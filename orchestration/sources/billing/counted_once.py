"""Find deliveries with the same content, and deliveries with the same charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.sources.billing import landed
from orchestration.sources.billing.charge_files import landed_charges
from orchestration.sources.billing.charge_keys import account_name, charge_keys, named_charges
from orchestration.sources.billing.different_names import FOUND
from orchestration.sources.billing.overlaps import CANDIDATES, PAIRS
from orchestration.sources.billing.restated import RESTATED

Name = tuple[str, str]
"""Export and delivery."""

_DAYS = "read_parquet(?, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"


@dataclass(frozen=True)
class Overlap:
    """Charges of one account and month that are in two deliveries, with their days and money.

    `restated` is the money in the second one if its amounts differ.
    """

    month: str
    account: str
    first: Name
    second: Name
    first_day: str
    last_day: str
    is_certain: bool
    money: dict[str, Decimal] = field(default_factory=dict)
    restated: dict[str, Decimal] = field(default_factory=dict)


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

    Charges are compared one by one if both deliveries have the same unit of time. Sums of all charge
    categories by account, sub account and day (by month, if one is monthly) are compared in any case: a bill
    with discounts on lines of their own shares no charge with one in net prices. Common charges count as
    billed twice if they are worth half of the smaller delivery's day, so chunks of one bill are not mistaken
    for copies; sums if they are equal on half of the common days, up to the rounding of the coarser delivery.
    Nothing is billed twice if both deliveries name something (resources, sub accounts, hours, regions, a tag)
    and have no value of it in common.

    Charges that agree in all but their amounts, with half of the money of both, are a restated copy. It is
    certain if they are of resources and the sums differ by up to a tenth; up to a half it is possible, and
    so it is for the sums of an account (of each sub account, if both name them) in two formats.
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
        files = [
            (
                family,
                landed_charges(
                    landed.charges_folder(landing, family, source, delivery).glob("*.parquet"), family
                ),
            )
            for family, source, delivery in involved
        ]
        for table, charges in (("table charges", charge_keys), ("view named", named_charges)):
            parts = " union all by name ".join(
                f"select {place} as delivery, * from {charges(*file)}" for place, file in enumerate(files)
            )
            connection.execute(f"create {table} as {parts}").fetchall()
        connection.execute(PAIRS).fetchall()
        connection.execute(CANDIDATES).fetchall()
        connection.execute(FOUND).fetchall()
        rows = connection.execute(f"select * from found union all {RESTATED} order by all").fetchall()
    found: dict[tuple[str, str, int, int, bool], Overlap] = {}
    for month, account, first, second, currency, first_day, last_day, money, restated, is_certain in rows:
        overlap = found.setdefault(
            (month, account, first, second, is_certain),
            Overlap(month, account, names[first], names[second], str(first_day), str(last_day), is_certain),
        )
        overlap.money[currency] = money
        if restated is not None:
            overlap.restated[currency] = restated
    return list(found.values())


def described(overlap: Overlap, shown: Mapping[Name, str]) -> str:
    """What is billed twice, in one sentence; `shown` names the source of each delivery."""
    money, restated = (
        ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(amounts.items()))
        for amounts in (overlap.money, overlap.restated)
    )
    places: Sequence[str] = [
        shown.get(name, f"{name[0]}/{name[1]}") for name in (overlap.first, overlap.second)
    ]
    days = overlap.first_day
    if overlap.last_day != overlap.first_day:
        days += f" to {overlap.last_day}"
    account = f"{overlap.month}: account {overlap.account or 'unknown'}"
    billed = f"{account} {'is' if overlap.is_certain else 'may be'} billed twice for {days}"
    if overlap.restated:
        return f"{billed}, with other amounts: {money} in {places[0]} and {restated} in {places[1]}"
    return f"{billed}: {money} is both in {places[0]} and in {places[1]}"
