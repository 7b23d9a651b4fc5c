with
    summed as (
        select
            billing_month,
            billing_currency,
            bool_or(is_running) as is_running,
            max(billed_through) as billed_through,
            sum(revenue) as revenue,
            sum(revenue_to_date) as revenue_to_date,
            coalesce(sum(effective_cost) filter (where customer_id <> 'unallocated'), 0) as carried_cost,
            coalesce(sum(effective_cost) filter (where customer_id = 'unallocated'), 0) as unallocated_cost,
            sum(effective_cost) as effective_cost,
            sum(revenue_to_date) - sum(effective_cost) as gross_margin,
            sum(other_cost) as other_cost,
            sum(cost_to_come) as cost_to_come,
            sum(previous_revenue) - sum(previous_effective_cost) as previous_gross_margin
        from {{ ref("customer_margins_monthly") }}
        group by all
    )

select
    billing_month,
    billing_currency,
    is_running,
    billed_through,
    revenue,
    revenue_to_date,
    carried_cost,
    unallocated_cost,
    effective_cost,
    gross_margin,
    {{ margin_ratio("gross_margin", "revenue_to_date") }} as gross_margin_ratio,
    other_cost,
    cost_to_come,
    case when not is_running then previous_gross_margin end as previous_gross_margin,
    case when not is_running then gross_margin - previous_gross_margin end as gross_margin_change
from summed
