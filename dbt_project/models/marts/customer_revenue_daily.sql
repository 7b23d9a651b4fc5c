-- A period's revenue, day by day. Days get equal parts to the last digit; what is left over goes to the first
-- days of the period, one unit each, so that the days add up to exactly the period's amount.
with
    aliases as (select customer_id, unnest(aliases) as alias from {{ ref("stg_customers__customers") }}),

    periods as (
        select
            coalesce(aliases.customer_id, revenue.customer_id) as customer_id,
            revenue.product,
            revenue.billing_currency,
            revenue.period_start,
            revenue.period_end - revenue.period_start + 1 as day_count,
            {{ money_units("revenue.revenue") }} as units
        from {{ ref("stg_revenue__revenue") }} as revenue
        left join aliases on aliases.alias = revenue.customer_id
    ),

    days as (select *, cast(unnest(range(day_count)) as integer) as day_index from periods)

select
    period_start + day_index as usage_date,
    customer_id,
    product,
    billing_currency,
    {{
        money(
            "sum("
            ~ whole_quotient("units", "day_count")
            ~ " + case when day_index < abs(units % day_count) then sign(units) else 0 end)"
        )
    }} as revenue
from days
group by all
