"""SQL over the table `charges` (see `charge_keys`): what two deliveries both bill, by account."""

from __future__ import annotations

from orchestration.sources.billing.charge_keys import KEYS

OVERLAPS = f"""
with
    deliveries as (
        select
            delivery,
            any_value(family) as family,
            mode(provider) as provider,
            case when mode(hours) <= 1 then 1 when mode(hours) <= 26 then 24 else 720 end as unit,
            bool_or(has_resource) as has_resources,
            bool_or(has_tags) as has_tags,
            bool_and(sub_account is not null) as has_sub_accounts,
            -- Bills are written to the cent at least.
            greatest(max(length(rtrim(split_part(billed::varchar, '.', 2), '0'))), 2) as digits
        from charges
        group by delivery
    ),

    pairs as (
        select
            a.delivery as first,
            b.delivery as second,
            a.unit = b.unit as is_by_charge,
            a.family <> b.family or a.provider is distinct from b.provider as has_other_words,
            greatest(a.unit, b.unit) > 24 as is_by_month,
            a.has_sub_accounts and b.has_sub_accounts as has_sub_accounts,
            a.has_resources and b.has_resources as has_resources,
            a.has_tags and b.has_tags as has_tags,
            0.5 * power(10, -a.digits) as rounding_of_first,
            0.5 * power(10, -b.digits) as rounding_of_second
        from deliveries as a
        inner join deliveries as b on a.delivery < b.delivery
    ),

    -- The finest key that both deliveries can have: without tags, if one of them has none.
    keys_of_pairs as (
        select
            *,
            unnest(
                case
                    when has_other_words
                    then [1]
                    when has_resources
                    then [2 + 1 + case when has_tags then 2 else 0 end, {KEYS}]
                    else [2 + case when has_tags then 2 else 0 end]
                end
            ) + case when has_sub_accounts then {KEYS} else 0 end as key_number
        from pairs
        where is_by_charge
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
        where key is not null
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
            pairs.key_number,
            sum(least(a.money, b.money)) as money
        from keys_of_pairs as pairs
        inner join keyed as a on a.delivery = pairs.first and a.key_number = pairs.key_number
        inner join
            keyed as b
            on b.delivery = pairs.second
            and b.key_number = a.key_number
            and b.key = a.key
            and b.billing_period = a.billing_period
            and b.account = a.account
            and b.currency = a.currency
        -- Of charges compared without their amount, those of nearly the same.
        where
            pairs.key_number % {KEYS} <> 0 or least(a.money, b.money) >= 0.9 * greatest(a.money, b.money)
        group by all
    ),

    days as (
        select delivery, billing_period, account, currency, usage_date, sum(abs(billed)) as money
        from charges
        group by all
    ),

    sums as (
        select
            delivery,
            billing_period,
            account,
            currency,
            case when has_sub_accounts then sub_account end as sub_account,
            has_sub_accounts,
            is_by_month,
            case when not is_by_month then usage_date end as day,
            min(usage_date) as usage_date,
            sum(billed) as billed,
            sum(abs(billed)) as money,
            count(*) as row_count
        from charges
        cross join (select unnest([true, false]) as has_sub_accounts)
        cross join (select unnest([true, false]) as is_by_month)
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
        inner join
            sums as a
            on a.delivery = pairs.first
            and a.is_by_month = pairs.is_by_month
            and a.has_sub_accounts = pairs.has_sub_accounts
        inner join
            sums as b
            on b.delivery = pairs.second
            and b.is_by_month = pairs.is_by_month
            and b.has_sub_accounts = pairs.has_sub_accounts
            and b.billing_period = a.billing_period
            and b.account = a.account
            and b.currency = a.currency
            and b.sub_account is not distinct from a.sub_account
            and (pairs.is_by_month or b.usage_date = a.usage_date)
        where
            (not pairs.is_by_charge or pairs.has_other_words)
            -- Rounded row by row to the digits of the coarser bill, but never far apart.
            and abs(b.billed - a.billed)
            <= least(
                0.000001 + pairs.rounding_of_first * a.row_count + pairs.rounding_of_second * b.row_count,
                0.001 * least(a.money, b.money) + 0.000001
            )
    ),

    found as (
        select by_charge.* exclude (key_number), least(a.money, b.money) as least_money
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
        select * replace (sum(money) as money, sum(least_money) as least_money)
        from by_sum
        group by all
    ),

    days_found as (
        select first, second, billing_period, account, currency, usage_date, max(money) as money
        from found
        where 2 * money >= least_money
        group by all
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
from days_found
group by all
order by all
"""
