"""SQL over the tables `charges` and `named` (see `charge_keys`): what two deliveries both bill."""

from __future__ import annotations

# `digits`: after the point, in the amounts. The finest key that both deliveries of a pair can have: without
# tags, if one of them has none.
PAIRS = """
create table pairs as
with
    deliveries as (
        select
            delivery,
            any_value(family) as family,
            case when mode(hours) <= 1 then 1 when mode(hours) <= 26 then 24 else 720 end as unit,
            max(
                case
                    when billed = round(billed, 2)
                    then 2
                    when billed = round(billed, 3)
                    then 3
                    when billed = round(billed, 4)
                    then 4
                    when billed = round(billed, 5)
                    then 5
                    else 6
                end
            ) as digits,
            list(distinct author) as authors,
            bool_or(resource_key is not null) as has_resources,
            bool_or(tags_key is not null) as has_tags,
            bool_or(sub is not null) as has_subs
        from charges
        group by delivery
    )

select
    a.delivery as first,
    b.delivery as second,
    a.unit = b.unit as has_same_unit,
    greatest(a.unit, b.unit) > 24 as is_by_month,
    a.digits as first_digits,
    b.digits as second_digits,
    a.family = b.family and list_has_any(a.authors, b.authors) as has_same_words,
    has_same_words and a.has_resources and b.has_resources as by_resource,
    has_same_words and a.has_tags and b.has_tags as by_tags,
    a.has_subs and b.has_subs as by_sub
from deliveries as a
inner join deliveries as b on a.delivery < b.delivery;

-- Each charge once for every way in which its delivery is compared with another.
create view compared_charges as
select
    kinds.has_same_words,
    kinds.by_resource,
    kinds.by_tags,
    kinds.by_sub,
    charges.*
from charges
inner join
    (
        select distinct unnest([first, second]) as delivery, has_same_words, by_resource, by_tags, by_sub
        from pairs
        where has_same_unit
    ) as kinds using (delivery)
"""

# What is equal, by charge (`way` 1), account (2) and sub account (3). `usage_date` is null for a month.
# Sums of two formats or authors, whose charges cannot be compared, may be `restated` (4).
CANDIDATES = """
create table candidates as
with
    keyed as (
        select
            delivery, has_same_words, by_resource, by_tags, by_sub,
            billing_period, account, currency, usage_date,
            hash(
                time_key,
                amount_key,
                case when has_same_words then hash(words_key, description_key) end,
                case when by_resource then resource_key end,
                case when by_tags then tags_key end,
                case when by_sub then sub end
            ) as key,
            sum(abs(billed)) as money
        from compared_charges
        group by all
    ),

    sub_days as (
        select
            delivery,
            billing_period,
            account,
            sub,
            currency,
            usage_date,
            sum(billed) as billed,
            sum(abs(billed)) as money,
            count(*) as row_count
        from charges
        group by all
    ),

    days as (
        select
            delivery,
            billing_period,
            account,
            null as sub,
            currency,
            usage_date,
            sum(billed) as billed,
            sum(money) as money,
            sum(row_count) as row_count
        from sub_days
        group by all
    ),

    keyed_in_days as (
        select keyed.*, days.money as money_of_day
        from keyed
        inner join days using (delivery, billing_period, account, currency, usage_date)
    ),

    by_charge as (
        select
            1 as way,
            pairs.first,
            pairs.second,
            billing_period,
            account,
            null as sub,
            currency,
            a.usage_date,
            a.usage_date as first_day,
            a.usage_date as last_day,
            sum(least(a.money, b.money)) as money
        from keyed_in_days as a
        inner join
            keyed_in_days as b using (
                billing_period, account, currency, has_same_words, by_resource, by_tags, by_sub, key
            )
        inner join pairs using (has_same_words, by_resource, by_tags, by_sub)
        where pairs.first = a.delivery and pairs.second = b.delivery and pairs.has_same_unit
        group by all
        having 2 * sum(least(a.money, b.money)) >= least(min(a.money_of_day), min(b.money_of_day))
    ),

    levels as (
        select 2 as way, *
        from days
        union all by name
        select 3 as way, *
        from sub_days
        where sub is not null
    ),

    sums as (
        select *, false as is_by_month, usage_date as first_day, usage_date as last_day
        from levels
        union all by name
        select
            way,
            delivery,
            billing_period,
            account,
            sub,
            currency,
            min(usage_date) as first_day,
            max(usage_date) as last_day,
            sum(billed) as billed,
            sum(money) as money,
            sum(row_count) as row_count,
            true as is_by_month
        from levels
        group by all
    ),

    common_sums as (
        select
            a.way,
            pairs.first,
            pairs.second,
            a.billing_period,
            a.account,
            a.sub,
            a.currency,
            a.usage_date,
            a.first_day,
            a.last_day,
            case when abs(a.billed) <= abs(b.billed) then a.billed else b.billed end as money,
            a.billed as billed_first,
            b.billed as billed_second,
            a.money as money_first,
            b.money as money_second,
            not has_same_words and by_sub = (a.way = 3) as may_be_restated,
            greatest(
                0.000001,
                least(
                    -- Each row of the coarser delivery can be off by half of its last digit.
                    0.5
                    * power(10, -least(first_digits, second_digits))
                    * case
                        when first_digits < second_digits
                        then a.row_count
                        when second_digits < first_digits
                        then b.row_count
                        when has_same_unit
                        then 0
                        else a.row_count + b.row_count
                    end,
                    least(a.money, b.money) / 100
                )
            ) as tolerance,
            abs(a.billed - b.billed) <= tolerance
            -- Usage and its credit sum to 0 in any bill.
            and (a.billed <> 0 or abs(a.money - b.money) <= tolerance) as is_same
        from pairs
        inner join sums as a on a.delivery = pairs.first and a.is_by_month = pairs.is_by_month
        inner join
            sums as b
            on b.delivery = pairs.second
            and b.is_by_month = a.is_by_month
            and b.way = a.way
            and b.billing_period = a.billing_period
            and b.account = a.account
            and b.sub is not distinct from a.sub
            and b.currency = a.currency
            and b.usage_date is not distinct from a.usage_date
    ),

    judged_sums as (
        select
            *,
            2 * count(*) filter (is_same) over common_days >= count(*) over common_days as is_of_a_double
        from common_sums
        window
            common_days as (
                partition by way, first, second, billing_period, account, sub, currency
            )
    ),

    totals as (
        select way, delivery, billing_period, account, sub, currency, sum(money) as money
        from levels
        group by all
    ),

    restated_sums as (
        select
            4 as way,
            common.first,
            common.second,
            common.billing_period,
            common.account,
            common.sub,
            common.currency,
            null::date as usage_date,
            min(common.first_day) as first_day,
            max(common.last_day) as last_day,
            sum(common.billed_first) as money,
            sum(common.billed_second) as restated
        from common_sums as common
        inner join
            totals as a
            on a.delivery = common.first
            and a.way = common.way
            and a.billing_period = common.billing_period
            and a.account = common.account
            and a.sub is not distinct from common.sub
            and a.currency = common.currency
        inner join
            totals as b
            on b.delivery = common.second
            and b.way = a.way
            and b.billing_period = a.billing_period
            and b.account = a.account
            and b.sub is not distinct from a.sub
            and b.currency = a.currency
        where common.may_be_restated
        group by all
        having
            least(sum(common.billed_first), sum(common.billed_second)) > 0
            and 2 * least(sum(common.billed_first), sum(common.billed_second))
            >= greatest(sum(common.billed_first), sum(common.billed_second))
            and 2 * sum(common.money_first) >= max(a.money)
            and 2 * sum(common.money_second) >= max(b.money)
    )

select row_number() over () as candidate, *
from
    (
        select *, null::decimal(38, 12) as restated
        from by_charge
        union all by name
        select
            way, first, second, billing_period, account, sub, currency, usage_date, first_day, last_day, money
        from judged_sums
        where is_same and is_of_a_double
        union all by name
        select *
        from restated_sums
    )
"""
