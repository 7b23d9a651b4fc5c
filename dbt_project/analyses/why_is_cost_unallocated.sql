-- Why is cost unallocated?
-- By month and reason, with the service that it is most of.
with
    services as (
        select usage_month, unallocated_reason, billing_currency, service_name, sum(effective_cost) as cost
        from {{ ref("customer_costs_monthly") }}
        where customer_id = 'unallocated'
        group by all
    )

select
    usage_month as month,
    unallocated_reason as reason,
    billing_currency as currency,
    cast(sum(cost) as decimal(38, 2)) as cost,
    arg_max(service_name, cost) as largest_service
from services
group by all
order by month, currency, sum(cost) desc
