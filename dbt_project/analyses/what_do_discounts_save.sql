-- What do commitments and discounts save?
-- Cost at list prices less effective cost, by segment and month; the unallocated part keeps its own row.
select
    usage_month as month,
    segment,
    billing_currency as currency,
    cast(sum(list_cost) as decimal(38, 2)) as list_cost,
    cast(sum(effective_cost) as decimal(38, 2)) as effective_cost,
    cast(sum(list_cost) - sum(effective_cost) as decimal(38, 2)) as saved,
    cast(
        100 * {{ ratio("sum(list_cost) - sum(effective_cost)", "sum(list_cost)") }} as decimal(18, 1)
    ) as saved_percent
from {{ ref("customer_costs_monthly") }}
group by all
order by month, currency, segment
