-- What does one unit cost in each segment?
-- Cost ÷ usage of the newest month by stream. Segments differ where they use a stream in dearer hours.
with
    units as (
        select
            cast(date_trunc('month', usage_date) as date) as month,
            stream || ' (' || unit || ')' as unit,
            segment,
            billing_currency,
            sum(usage_quantity) as quantity,
            sum(effective_cost) as cost
        from {{ ref("unit_costs_daily") }}
        group by all
    )

select
    month,
    unit,
    segment,
    billing_currency as currency,
    cast(quantity as decimal(38, 0)) as quantity,
    cast(cost as decimal(38, 2)) as cost,
    cast({{ cost_of_one("cost", "quantity") }} as decimal(38, 6)) as cost_of_one
from units
where month = (select max(month) from units)
order by unit, currency, segment
