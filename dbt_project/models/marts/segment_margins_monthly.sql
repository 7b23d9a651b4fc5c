with
    summed as (
        select
            billing_month,
            segment,
            billing_currency,
            cast(
                count(*) filter (
                    where
                        missing_side is distinct from 'both' and customer_id not in {{ reserved_customers() }}
                ) as integer
            ) as customer_count,
            sum(revenue) as revenue,
            sum(effective_cost) as effective_cost,
            sum(other_cost) as other_cost,
            sum(cost_to_come) as cost_to_come,
            sum(gross_margin) as gross_margin,
            bool_or(is_running) as is_running,
            max(billed_through) as billed_through,
            sum(revenue_to_date) as revenue_to_date,
            sum(previous_revenue) as previous_revenue,
            sum(previous_effective_cost) as previous_effective_cost,
            sum(previous_gross_margin) as previous_gross_margin,
            sum(revenue_change) as revenue_change,
            sum(cost_change) as cost_change,
            sum(gross_margin_change) as gross_margin_change
        from {{ ref("customer_margins_monthly") }}
        group by all
    ),

    -- The customer that moved the segment most in its direction.
    main_customers as (
        select
            billing_month,
            segment,
            billing_currency,
            customers.customer_id as changed_customer_id,
            customers.customer_name as changed_customer_name,
            customers.gross_margin_change as changed_customer_margin
        from {{ ref("customer_margins_monthly") }} as customers
        inner join summed using (billing_month, segment, billing_currency)
        where customers.gross_margin_change <> 0
        qualify
            row_number() over (
                partition by billing_month, segment, billing_currency
                order by
                    {{ furthest_first("customers.gross_margin_change", "summed.gross_margin_change") }},
                    customers.customer_id
            )
            = 1
    )

select
    summed.billing_month,
    summed.segment,
    summed.billing_currency,
    summed.customer_count,
    summed.revenue,
    summed.effective_cost,
    summed.other_cost,
    summed.cost_to_come,
    summed.gross_margin,
    {{ margin_ratio("summed.gross_margin", "summed.revenue_to_date") }} as gross_margin_ratio,
    summed.is_running,
    summed.billed_through,
    summed.revenue_to_date,
    summed.previous_revenue,
    summed.previous_effective_cost,
    summed.previous_gross_margin,
    summed.revenue_change,
    summed.cost_change,
    summed.gross_margin_change,
    {{ change_cause("summed.revenue_change", "summed.cost_change") }} as change_cause,
    main_customers.changed_customer_id,
    main_customers.changed_customer_name,
    main_customers.changed_customer_margin
from summed
left join main_customers using (billing_month, segment, billing_currency)
