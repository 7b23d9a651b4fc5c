"""SQL over `charges` and `found`: bills that lie beside their restated form."""

from __future__ import annotations

# Charges that agree in all but their amounts: of the same resources, or each the only one of its kind.
RESTATED = """
select *
from
    (
        with
            keyed as (
                select
                    delivery, by_resource, by_tags, by_sub,
                    billing_period, account, currency, usage_date,
                    -- AWS writes the price into the description.
                    hash(
                        time_key,
                        words_key,
                        case when by_resource then resource_key else description_key end,
                        case when by_tags then tags_key end,
                        case when by_sub then sub end
                    ) as key,
                    sum(billed) as billed,
                    sum(abs(billed)) as money,
                    count(*) as row_count
                from compared_charges
                where has_same_words
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
                    billing_period,
                    account,
                    currency,
                    min(usage_date) as first_day,
                    max(usage_date) as last_day,
                    by_resource,
                    max(greatest(a.row_count, b.row_count)) = 1 as is_one_by_one,
                    sum(a.billed) as billed_first,
                    sum(b.billed) as billed_second,
                    sum(a.money) as money_first,
                    sum(b.money) as money_second
                from keyed as a
                inner join
                    keyed as b using (
                        billing_period, account, currency, usage_date, by_resource, by_tags, by_sub, key
                    )
                inner join pairs using (by_resource, by_tags, by_sub)
                where
                    pairs.first = a.delivery
                    and pairs.second = b.delivery
                    and pairs.has_same_unit
                    and pairs.has_same_words
                group by all
            ),

            common_days as (
                select
                    pairs.first, pairs.second, billing_period, account, currency,
                    sum(a.money) as money_of_first,
                    sum(b.money) as money_of_second
                from days as a
                inner join days as b using (billing_period, account, currency, usage_date)
                inner join pairs on pairs.first = a.delivery and pairs.second = b.delivery
                group by all
            )

        select
            billing_period, account, first, second, currency, first_day, last_day,
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
