-- Months are those of the bill, so that the costs of a month are its bill; revenue for months without a bill
-- is in customer_revenue_daily. What a customer pays in one currency and costs in another is never set off.
with
    costs as (
        select
            billing_period as billing_month,
            customer_id,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("customer_costs_monthly") }}
        group by all
    ),

    -- The last day of each month that the bill has: revenue after it has no cost yet.
    months as (
        select billing.billing_month, max(totals.usage_date) as billed_through
        from (select distinct billing_month from costs) as billing
        left join
            {{ ref("customer_totals_daily") }} as totals
            on strftime(totals.usage_date, '%Y-%m') = billing.billing_month
        group by billing.billing_month
    ),

    revenue as (
        select
            months.billing_month,
            daily.customer_id,
            daily.billing_currency,
            sum(daily.revenue) as revenue,
            sum(
                case when daily.usage_date <= months.billed_through then daily.revenue else 0 end
            ) as revenue_to_date
        from {{ ref("customer_revenue_daily") }} as daily
        inner join months on months.billing_month = strftime(daily.usage_date, '%Y-%m')
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
            coalesce(costs.effective_cost, 0) as effective_cost
        from costs
        full join revenue using (billing_month, customer_id, billing_currency)
    ),

    -- Who is gone has a row in the month after: their margin changed, to nothing.
    keys as (
        select billing_month, customer_id, billing_currency
        from found
        union
        select {{ month_after("billing_month") }}, customer_id, billing_currency
        from found
        where {{ month_after("billing_month") }} in (select billing_month from months)
    ),

    compared as (
        select
            keys.*,
            months.billed_through,
            coalesce(found.has_revenue, false) as has_revenue,
            coalesce(found.has_cost, false) as has_cost,
            coalesce(found.revenue, 0) as revenue,
            coalesce(found.revenue_to_date, 0) as revenue_to_date,
            coalesce(found.effective_cost, 0) as effective_cost,
            {{ month_before("keys.billing_month") }} as previous_month,
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
            on previous_months.billing_month = {{ month_before("keys.billing_month") }}
        left join found using (billing_month, customer_id, billing_currency)
        left join
            found as before
            on before.billing_month = {{ month_before("keys.billing_month") }}
            and before.customer_id = keys.customer_id
            and before.billing_currency = keys.billing_currency
    ),

    changed as (
        select
            *,
            revenue - effective_cost as gross_margin,
            previous_revenue - previous_effective_cost as previous_gross_margin,
            revenue - previous_revenue as revenue_change,
            effective_cost - previous_effective_cost as cost_change
        from compared
    ),

    reasons as ({{ main_cost_changes(["billing_month", "customer_id", "billing_currency"]) }}),

    ranked as (
        select
            changed.*,
            gross_margin - previous_gross_margin as gross_margin_change,
            {{ change_cause("revenue_change", "cost_change") }} as change_cause,
            reasons.cost_reason,
            string_agg(changed.billing_currency, ', ') over (
                partition by billing_month, customer_id
                order by changed.billing_currency
                rows between unbounded preceding and unbounded following exclude current row
            ) as other_currencies,
            case
                when gross_margin < previous_gross_margin and customer_id <> 'unallocated'
                then
                    row_number() over (
                        partition by billing_month, billing_currency, customer_id <> 'unallocated'
                        order by gross_margin - previous_gross_margin, customer_id
                    )
            end as margin_fall_rank
        from changed
        left join reasons using (billing_month, customer_id, billing_currency)
    )

select
    ranked.billing_month,
    ranked.customer_id,
    coalesce(customers.customer_name, ranked.customer_id) as customer_name,
    case
        when ranked.customer_id = 'unallocated' then 'unallocated' else coalesce(customers.segment, 'unknown')
    end as segment,
    customers.plan,
    ranked.billing_currency,
    ranked.revenue,
    ranked.effective_cost,
    ranked.gross_margin,
    {{ margin_ratio("ranked.gross_margin", "ranked.revenue") }} as gross_margin_ratio,
    {{ missing_side("ranked.has_revenue", "ranked.has_cost") }} as missing_side,
    ranked.other_currencies,
    ranked.billed_through,
    ranked.revenue_to_date,
    ranked.previous_revenue,
    ranked.previous_effective_cost,
    ranked.previous_gross_margin,
    ranked.revenue_change,
    ranked.cost_change,
    ranked.gross_margin_change,
    ranked.change_cause,
    case
        when not ranked.has_previous_month
        then null
        when not ranked.has_revenue and not ranked.has_cost
        then 'gone: no revenue and no cost after ' || ranked.previous_month
        when ranked.is_new
        then 'new: no revenue and no cost in ' || ranked.previous_month
        else
            {{
                change_reason(
                    "ranked.change_cause",
                    "ranked.revenue_change",
                    "ranked.cost_change",
                    "ranked.cost_reason",
                )
            }}
    end as change_reason,
    cast(ranked.margin_fall_rank as integer) as margin_fall_rank
from ranked
left join {{ ref("customers") }} as customers using (customer_id)
