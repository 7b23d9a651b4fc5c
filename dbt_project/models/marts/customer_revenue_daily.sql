-- A period's revenue, day by day. Days get equal parts to the last digit; what is left over goes to the first
-- days of the period, one unit each, so that the days add up to exactly the period's amount. An alias names
-- the
-- customer on the days on which it is valid.
with
    periods as (
        select
            customer_id,
            product,
            billing_currency,
            period_start,
            period_end - period_start + 1 as day_count,
            {{ money_units("revenue") }} as units
        from {{ ref("stg_revenue__revenue") }}
    ),

    days as (
        select *, period_start + day_index as usage_date
        from (select *, cast(unnest(range(day_count)) as integer) as day_index from periods)
    )

select
    days.usage_date,
    {{ customer_of("days.customer_id") }} as customer_id,
    days.product,
    days.billing_currency,
    {{
        money(
            "sum("
            ~ whole_quotient("days.units", "days.day_count")
            ~ " + case when days.day_index < abs(days.units % days.day_count) then sign(days.units) else 0 end)"
        )
    }}
    as revenue
from days {{ join_alias("days.customer_id", "days.usage_date") }}
group by all
