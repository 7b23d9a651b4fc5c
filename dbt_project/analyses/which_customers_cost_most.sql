-- Which customers cost most?
-- The ten costliest of the newest month, and how much of the cost is billed, amortised and at list prices.
with
    months as (
        select
            usage_month,
            customer_name,
            segment,
            billing_currency,
            sum(billed_cost) as billed_cost,
            sum(effective_cost) as effective_cost,
            sum(list_cost) as list_cost
        from {{ ref("customer_costs_monthly") }}
        where segment not in {{ reserved_customers() }}
        group by all
    )

select
    usage_month as month,
    customer_name,
    segment,
    billing_currency as currency,
    cast(billed_cost as decimal(38, 2)) as billed_cost,
    cast(effective_cost as decimal(38, 2)) as effective_cost,
    cast(list_cost as decimal(38, 2)) as list_cost
from months
where usage_month = (select max(usage_month) from months)
order by effective_cost desc, customer_name
limit 10
