-- depends_on: {{ ref("stg_customers__customers") }}
-- Spreads each period's revenue evenly over its days; the remainder goes to the first days, one unit each,
-- so the days sum exactly to the amount.
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

    indexed as (select *, cast(unnest(range(day_count)) as integer) as day_index from periods),

    days as (
        select
            period_start + day_index as usage_date,
            customer_id,
            product,
            billing_currency,
            divide(units, day_count)
            + case when day_index < abs(units % day_count) then sign(units) else 0 end as units
        from indexed
    ),

    resolved as (
        select
            days.usage_date,
            coalesce(aliases.customer_id, {{ trimmed("days.customer_id") }}) as customer_id,
            days.product,
            days.billing_currency,
            {{ money("sum(days.units)") }} as revenue
        from days {{ join_alias("days.customer_id", "days.usage_date") }}
        group by all
    )

    {{ customer_names("select * from resolved") }}
