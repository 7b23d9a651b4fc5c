-- Months are billing months, so a month's costs sum to its bill; revenue for months without a bill is in
-- customer_revenue_daily. Revenue in one currency is never netted against cost in another.
with
    -- The long tail's cost belongs to its customers, in addition to their cost under other rules.
    customer_costs as (
        select billing_month, customer_id, billing_currency, unallocated_reason, effective_cost
        from {{ ref("customer_costs_monthly") }}
        where customer_id <> 'long tail'
        union all by name
        select
            cast(billing_period || '-01' as date) as billing_month,
            customer_id,
            billing_currency,
            effective_cost
        from {{ ref("long_tail_costs") }}
    ),

    costs as (
        select
            billing_month,
            customer_id,
            billing_currency,
            {%- for side, column in [
                ("cost of goods sold", "effective_cost"),
                ("other cost", "other_cost"),
                ("cost to come", "cost_to_come"),
            ] %}
                coalesce(
                    sum(effective_cost) filter (where {{ margin_side("unallocated_reason") }} = '{{ side }}'),
                    0
                ) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from customer_costs
        group by all
    ),

    months as (select * from {{ ref("billed_months") }}),

    revenue as (
        select
            months.billing_month,
            daily.customer_id,
            daily.billing_currency,
            sum(daily.revenue) as revenue,
            sum({{ revenue_to_date("daily", "months") }}) as revenue_to_date
        from {{ ref("customer_revenue_daily") }} as daily
        inner join months on months.billing_month = date_trunc('month', daily.usage_date)
        group by all
    ),

    found as (
        select
            billing_month,
            customer_id,
            billing_currency,
            revenue.customer_id is not null as has_revenue,
            costs.customer_id is not null as has_cost,
            coalesce(revenue.revenue, 0) as revenue,
            coalesce(revenue.revenue_to_date, 0) as revenue_to_date,
            coalesce(costs.effective_cost, 0) as effective_cost,
            coalesce(costs.other_cost, 0) as other_cost,
            coalesce(costs.cost_to_come, 0) as cost_to_come
        from costs
        full join revenue using (billing_month, customer_id, billing_currency)
    ),

    -- Churned customers get one more row: their margin fell to 0. Not in a running month, where that is
    -- still open.
    keys as (
        select billing_month, customer_id, billing_currency
        from found
        union
        select cast(billing_month + interval 1 month as date), customer_id, billing_currency
        from found
        where
            cast(billing_month + interval 1 month as date)
            in (select billing_month from months where not is_running)
    ),

    compared as (
        select
            keys.*,
            months.billed_through,
            months.is_running,
            coalesce(found.has_revenue, false) as has_revenue,
            coalesce(found.has_cost, false) as has_cost,
            coalesce(found.revenue, 0) as revenue,
            coalesce(found.revenue_to_date, 0) as revenue_to_date,
            coalesce(found.effective_cost, 0) as effective_cost,
            coalesce(found.other_cost, 0) as other_cost,
            coalesce(found.cost_to_come, 0) as cost_to_come,
            cast(keys.billing_month - interval 1 month as date) as previous_month,
            previous_months.billing_month is not null as has_previous_month,
            before.customer_id is null as is_new,
            case when has_previous_month then coalesce(before.revenue, 0) end as previous_revenue,
            case
                when has_previous_month then coalesce(before.effective_cost, 0)
            end as previous_effective_cost
        from keys
        inner join months using (billing_month)
        left join
            months as previous_months
            on previous_months.billing_month = cast(keys.billing_month - interval 1 month as date)
        left join found using (billing_month, customer_id, billing_currency)
        left join
            found as before
            on before.billing_month = cast(keys.billing_month - interval 1 month as date)
            and before.customer_id = keys.customer_id
            and before.billing_currency = keys.billing_currency
    ),

    changed as (
        select
            *,
            revenue_to_date - effective_cost as gross_margin,
            previous_revenue - previous_effective_cost as previous_gross_margin,
            -- A month of which only some days are billed is not compared with a whole one.
            case when not is_running then revenue - previous_revenue end as revenue_change,
            case when not is_running then effective_cost - previous_effective_cost end as cost_change
        from compared
    ),

    -- The element whose cost changed most in the direction of the total change, and its service with the
    -- largest change.
    element_changes as (
        select
            *,
            sum(element_change) over (
                partition by billing_month, customer_id, billing_currency
            ) as whole_change
        from
            (
                select
                    billing_month,
                    customer_id,
                    billing_currency,
                    dimension,
                    element,
                    sum(cost_change) as element_change
                from {{ ref("cost_changes_monthly") }}
                group by all
            )
    ),

    main_elements as (
        select *
        from element_changes
        qualify
            row_number() over (
                partition by billing_month, customer_id, billing_currency
                order by {{ furthest_first("element_change", "whole_change") }}, element
            )
            = 1
    ),

    reasons as (
        select
            billing_month,
            customer_id,
            billing_currency,
            elements.dimension as changed_dimension,
            elements.element as changed_element,
            elements.element_change as changed_element_cost,
            services.service_name as changed_service,
            services.cost_change as changed_service_cost
        from main_elements as elements
        inner join
            {{ ref("cost_changes_monthly") }} as services using (billing_month, customer_id, billing_currency)
        where services.element is not distinct from elements.element
        qualify
            row_number() over (
                partition by billing_month, customer_id, billing_currency
                order by
                    {{ furthest_first("services.cost_change", "elements.element_change") }},
                    services.service_name
            )
            = 1
    ),

    ranked as (
        select
            changed.*,
            revenue_change - cost_change as gross_margin_change,
            {{ change_cause("revenue_change", "cost_change") }} as change_cause,
            reasons.changed_dimension,
            reasons.changed_element,
            reasons.changed_element_cost,
            reasons.changed_service,
            reasons.changed_service_cost,
            string_agg(changed.billing_currency, ', ') over (
                partition by billing_month, customer_id
                order by changed.billing_currency
                rows between unbounded preceding and unbounded following exclude current row
            ) as other_currencies,
            case
                when revenue_change < cost_change and customer_id not in {{ reserved_customers() }}
                then
                    row_number() over (
                        partition by
                            billing_month, billing_currency, customer_id not in {{ reserved_customers() }}
                        order by revenue_change - cost_change, customer_id
                    )
            end as margin_fall_rank
        from changed
        left join reasons using (billing_month, customer_id, billing_currency)
    )

select
    ranked.billing_month,
    ranked.customer_id,
    coalesce(customers.customer_name, ranked.customer_id) as customer_name,
    coalesce(customers.segment, 'unknown') as segment,
    customers.plan,
    ranked.billing_currency,
    ranked.revenue,
    ranked.effective_cost,
    ranked.other_cost,
    ranked.cost_to_come,
    ranked.gross_margin,
    {{ margin_ratio("ranked.gross_margin", "ranked.revenue_to_date") }} as gross_margin_ratio,
    {{ missing_side("ranked.has_revenue", "ranked.has_cost") }} as missing_side,
    ranked.other_currencies,
    ranked.is_running,
    ranked.billed_through,
    ranked.revenue_to_date,
    ranked.previous_revenue,
    ranked.previous_effective_cost,
    ranked.previous_gross_margin,
    ranked.revenue_change,
    ranked.cost_change,
    ranked.gross_margin_change,
    ranked.change_cause,
    ranked.has_previous_month and ranked.is_new as is_new,
    ranked.changed_dimension,
    ranked.changed_element,
    ranked.changed_element_cost,
    ranked.changed_service,
    ranked.changed_service_cost,
    cast(ranked.margin_fall_rank as integer) as margin_fall_rank
from ranked
left join {{ ref("customers") }} as customers using (customer_id)
