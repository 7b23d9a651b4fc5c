"""Find deliveries with the same content, and deliveries with the same charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.sources.billing import landed
from orchestration.sources.billing.charge_keys import account_name, charge_keys

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

    Charges are compared one by one if both deliveries have the same unit of time, else as sums by day (by
    month, if one is monthly). A day counts as billed twice if the common charges are worth half of the
    smaller delivery's day, so chunks of one bill, and files of a few hours each, are not mistaken for copies.
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
        rows = connection.execute(_OVERLAPS).fetchall()
    found: dict[tuple[str, str, int, int], Overlap] = {}
    for month, account, first, second, currency, first_day, last_day, money in rows:
        overlap = found.setdefault(
            (month, account, first, second),
            Overlap(month, account, names[first], names[second], str(first_day), str(last_day), {}),
        )
        overlap.money[currency] = money
    return list(found.values())


_OVERLAPS = """
with
    deliveries as (
        select
            delivery,
            any_value(family) as family,
            case when mode(hours) <= 1 then 1 when mode(hours) <= 26 then 24 else 720 end as unit,
            bool_or(has_resource) as has_resources,
            bool_or(has_tags) as has_tags
        from charges
        group by delivery
    ),

    -- The finest key that both deliveries can have: without tags, if one of them has none.
    pairs as (
        select
            a.delivery as first,
            b.delivery as second,
            a.unit = b.unit as is_by_charge,
            greatest(a.unit, b.unit) > 24 as is_by_month,
            case
                when a.family <> b.family
                then 1
                else
                    2
                    + case when a.has_resources and b.has_resources then 1 else 0 end
                    + case when a.has_tags and b.has_tags then 2 else 0 end
            end as key_number
        from deliveries as a
        inner join deliveries as b on a.delivery < b.delivery
    ),

    keyed as (
        select
            delivery,
            billing_period,
            account,
            currency,
            usage_date,
            key_number,
            key,
            sum(abs(billed)) as money
        from (select *, unnest(keys) as key, generate_subscripts(keys, 1) as key_number from charges)
        group by all
    ),

    by_charge as (
        select
            pairs.first,
            pairs.second,
            a.billing_period,
            a.account,
            a.currency,
            a.usage_date,
            sum(least(a.money, b.money)) as money
        from pairs
        inner join keyed as a on a.delivery = pairs.first and a.key_number = pairs.key_number
        inner join
            keyed as b
            on b.delivery = pairs.second
            and b.key_number = a.key_number
            and b.key = a.key
            and b.billing_period = a.billing_period
            and b.account = a.account
            and b.currency = a.currency
        where pairs.is_by_charge
        group by all
    ),

    days as (
        select
            delivery,
            billing_period,
            account,
            currency,
            usage_date,
            sum(billed) as billed,
            sum(abs(billed)) as money
        from charges
        group by all
    ),

    sums as (
        select *, false as is_by_month
        from days
        union all by name
        select
            delivery,
            billing_period,
            account,
            currency,
            min(usage_date) as usage_date,
            sum(billed) as billed,
            sum(money) as money,
            true as is_by_month
        from days
        group by all
    ),

    by_sum as (
        select
            pairs.first,
            pairs.second,
            a.billing_period,
            a.account,
            a.currency,
            a.usage_date,
            least(a.money, b.money) as money,
            least(a.money, b.money) as least_money
        from pairs
        inner join sums as a on a.delivery = pairs.first and a.is_by_month = pairs.is_by_month
        inner join
            sums as b
            on b.delivery = pairs.second
            and b.is_by_month = pairs.is_by_month
            and b.billing_period = a.billing_period
            and b.account = a.account
            and b.currency = a.currency
            and (pairs.is_by_month or b.usage_date = a.usage_date)
            and round(b.billed, 6) = round(a.billed, 6)
        where not pairs.is_by_charge
    ),

    found as (
        select by_charge.*, least(a.money, b.money) as least_money
        from by_charge
        inner join
            days as a
            on a.delivery = by_charge.first
            and a.billing_period = by_charge.billing_period
            and a.account = by_charge.account
            and a.currency = by_charge.currency
            and a.usage_date = by_charge.usage_date
        inner join
            days as b
            on b.delivery = by_charge.second
            and b.billing_period = by_charge.billing_period
            and b.account = by_charge.account
            and b.currency = by_charge.currency
            and b.usage_date = by_charge.usage_date
        union all by name
        select *
        from by_sum
    )

select
    billing_period,
    account,
    first,
    second,
    currency,
    min(usage_date),
    max(usage_date),
    cast(sum(money) as decimal(38, 12))
from found
where 2 * money >= least_money
group by all
order by all
"""


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
