-- What changed since the month before?
-- The ten largest changes of a customer's cost by element and service, in the newest month.
select
    billing_month as month,
    customer_name,
    segment,
    dimension || ' ' || coalesce(element, 'unmatched') as driver,
    service_name,
    billing_currency as currency,
    cast(previous_effective_cost as decimal(38, 2)) as cost_before,
    cast(effective_cost as decimal(38, 2)) as cost,
    cast(cost_change as decimal(38, 2)) as change
from {{ ref("cost_changes_monthly") }}
where billing_month = (select max(billing_month) from {{ ref("cost_changes_monthly") }})
order by abs(cost_change) desc, customer_name, driver, service_name
limit 10
