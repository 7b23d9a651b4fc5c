-- Does growth improve unit economics? Monthly number of customers and usage, with the cost of one customer
-- and of one unit of each stream. It improves if volume grows and unit cost falls.
with
    customers as (
        select
            period_start as month,
            billing_currency,
            'customer' as unit,
            cast(sum(customer_count) as decimal(38, 9)) as quantity,
            sum(monthly_cost) as cost
        from {{ ref("average_customer_cost") }}
        where period_grain = 'monthly' and segment is not null
        group by all
    ),

    streams as (
        select
            cast(date_trunc('month', usage_date) as date) as month,
            billing_currency,
            stream || ' (' || unit || ')' as unit,
            sum(usage_quantity) as quantity,
            sum(effective_cost) as cost
        from {{ ref("unit_costs_daily") }}
        group by all
    ),

    units as (
        select *
        from customers
        union all
        select *
        from streams
    ),

    priced as (select *, {{ cost_of_one("cost", "quantity") }} as cost_of_one from units),

    compared as (
        select
            *,
            lag(quantity) over months as quantity_before,
            lag(cost_of_one) over months as cost_of_one_before
        from priced
        window months as (partition by unit, billing_currency order by month)
    )

select
    month,
    unit,
    billing_currency as currency,
    cast(quantity as decimal(38, 0)) as quantity,
    cast(cost as decimal(38, 2)) as cost,
    cast(cost_of_one as decimal(38, 6)) as cost_of_one,
    cast(100 * ({{ ratio("quantity", "quantity_before") }} - 1) as decimal(18, 1)) as quantity_change_percent,
    cast(
        100 * ({{ ratio("cost_of_one", "cost_of_one_before") }} - 1) as decimal(18, 1)
    ) as cost_of_one_change_percent,
    case
        when quantity > quantity_before and cost_of_one < cost_of_one_before
        then 'yes: more, and one costs less'
        when quantity > quantity_before
        then 'no: more, and one costs more'
        when quantity <= quantity_before
        then 'no growth'
    end as answer
from compared
order by unit <> 'customer', unit, currency, month
