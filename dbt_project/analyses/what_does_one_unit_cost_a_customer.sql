-- What does one unit cost a customer?
-- The three largest users of each stream in the newest month, against what one costs on average.
with
    units as (
        select
            cast(date_trunc('month', usage_date) as date) as month,
            stream,
            customer_name,
            billing_currency,
            sum(usage_quantity) as quantity,
            sum(effective_cost) as cost
        from {{ ref("unit_costs_daily") }}
        group by all
    ),

    ranked as (
        select
            *,
            sum(quantity) over (streams) as stream_quantity,
            sum(cost) over (streams) as stream_cost,
            row_number() over (streams order by quantity desc nulls last, customer_name) as place
        from units
        where month = (select max(month) from units)
        window streams as (partition by stream, billing_currency)
    )

select
    month,
    stream,
    customer_name,
    billing_currency as currency,
    cast(quantity as decimal(38, 0)) as quantity,
    cast(cost as decimal(38, 2)) as cost,
    cast({{ cost_of_one("cost", "quantity") }} as decimal(38, 6)) as cost_of_one,
    cast({{ cost_of_one("stream_cost", "stream_quantity") }} as decimal(38, 6)) as average_cost_of_one
from ranked
where place <= 3
order by stream, currency, place
