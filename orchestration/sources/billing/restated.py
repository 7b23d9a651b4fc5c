"""SQL over `charges` and `found`: bills that lie beside their restated form."""

from __future__ import annotations

# Charges that agree in all but their amounts: of the same resources, or each the only one of its kind.
RESTATED = """
select *
from
    (
        with
            kinds as (
                select distinct unnest([first, second]) as delivery, by_resource, by_tags, by_sub
                from pairs
                where has_same_unit and has_same_words
            ),

            keyed as (
                select
                    kinds.*,
                    charges.billing_period,
                    charges.account,
                    charges.currency,
                    charges.usage_date,
                    hash(
                        charges.time_key,
                        charges.words_key,
                        -- AWS writes the price into the description.
                        case
                            when kinds.by_resource then charges.resource_key else charges.description_key
                        end,
                        case when kinds.by_tags then charges.tags_key end,
                        case when kinds.by_sub then charges.sub end
                    ) as key,
                    sum(charges.billed) as billed,
                    sum(abs(charges.billed)) as money,
                    count(*) as row_count
                from charges
                inner join kinds using (delivery)
                group by all
            ),

            days as (
                select delivery, billing_period, account, currency, usage_date, sum(abs(billed)) as money
                from charges
                group by all
            ),

            common as (
                select
                    pairs.first,
                    pairs.second,
                    a.billing_period,
                    a.account,
                    a.currency,
                    min(a.usage_date) as first_day,
                    max(a.usage_date) as last_day,
                    pairs.by_resource,
                    max(greatest(a.row_count, b.row_count)) = 1 as is_one_by_one,
                    sum(a.billed) as billed_first,
                    sum(b.billed) as billed_second,
                    sum(a.money) as money_first,
                    sum(b.money) as money_second
                from pairs
                inner join
                    keyed as a
                    on a.delivery = pairs.first
                    and a.by_resource = pairs.by_resource
                    and a.by_tags = pairs.by_tags
                    and a.by_sub = pairs.by_sub
                inner join
                    keyed as b
                    on b.delivery = pairs.second
                    and b.by_resource = a.by_resource
                    and b.by_tags = a.by_tags
                    and b.by_sub = a.by_sub
                    and b.key = a.key
                    and b.billing_period = a.billing_period
                    and b.account = a.account
                    and b.currency = a.currency
                    and b.usage_date = a.usage_date
                where pairs.has_same_unit and pairs.has_same_words
                group by all
            ),

            common_days as (
                select
                    pairs.first,
                    pairs.second,
                    a.billing_period,
                    a.account,
                    a.currency,
                    sum(a.money) as money_of_first,
                    sum(b.money) as money_of_second
                from pairs
                inner join days as a on a.delivery = pairs.first
                inner join
                    days as b
                    on b.delivery = pairs.second
                    and b.billing_period = a.billing_period
                    and b.account = a.account
                    and b.currency = a.currency
                    and b.usage_date = a.usage_date
                group by all
            )

        select
            billing_period,
            account,
            first,
            second,
            currency,
            first_day,
            last_day,
            cast(billed_first as decimal(38, 12)) as money,
            cast(billed_second as decimal(38, 12)) as restated,
            by_resource
            and 10 * least(billed_first, billed_second) >= 9 * greatest(billed_first, billed_second)
            as is_certain
        from common
        inner join common_days using (first, second, billing_period, account, currency)
        where
            (billing_period, account, first, second) not in (
                select (billing_period, account, first, second) from found
            )
            and (by_resource or is_one_by_one)
            and least(billed_first, billed_second) > 0
            and 2 * least(billed_first, billed_second) > greatest(billed_first, billed_second)
            and 2 * money_first >= money_of_first
            and 2 * money_second >= money_of_second
    )
"""
