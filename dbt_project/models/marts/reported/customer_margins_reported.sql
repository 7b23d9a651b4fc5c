{{ config(enabled=var("reporting_currency") != "") }}
-- The margin of customer_margins_monthly in one currency: each day's cost and revenue at that day's rate.
with
    -- The rows of customer_costs_reported; the long tail's cost belongs to its customers.
    amounts as (
        select
            billing_month,
            customer_id,
            reporting_currency,
            {{ margin_side("unallocated_reason") }} as side,
            reported_effective_cost as amount
        from {{ ref("customer_costs_reported") }}
        where customer_id <> 'long tail'
        union all by name
        select
            cast(tail.billing_period || '-01' as date) as billing_month,
            tail.customer_id,
            rates.reporting_currency,
            'cost of goods sold' as side,
            {{ converted("tail.effective_cost", "rates.exchange_rate") }} as amount
        from {{ ref("long_tail_costs") }} as tail
        inner join {{ ref("exchange_rates_daily") }} as rates using (usage_date, billing_currency)
        union all by name
        select
            billing_month,
            customer_id,
            reporting_currency,
            side,
            {{ converted("amount", "rates.exchange_rate") }} as amount
        from
            (
                {%- for side, amount in [
                    ("revenue", "sum(daily.revenue)"),
                    ("revenue to date", "sum(" ~ revenue_to_date("daily", "months") ~ ")"),
                ] %}
                    select
                        daily.usage_date,
                        months.billing_month,
                        daily.customer_id,
                        daily.billing_currency,
                        '{{ side }}' as side,
                        cast({{ amount }} as decimal(38, 24)) as amount
                    from {{ ref("customer_revenue_daily") }} as daily
                    inner join
                        {{ ref("billed_months") }} as months
                        on months.billing_month = date_trunc('month', daily.usage_date)
                    group by all {{ "union all" if not loop.last }}
                {%- endfor %}
            )
        inner join {{ ref("exchange_rates_daily") }} as rates using (usage_date, billing_currency)
    ),

    summed as (
        select
            billing_month,
            customer_id,
            reporting_currency,
            {%- for column, side in [
                ("revenue", "revenue"),
                ("effective_cost", "cost of goods sold"),
                ("other_cost", "other cost"),
                ("cost_to_come", "cost to come"),
                ("revenue_to_date", "revenue to date"),
            ] %}
                coalesce(
                    sum(amount) filter (side = '{{ side }}'), 0
                ) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from amounts
        group by all
    )

select
    summed.billing_month,
    summed.customer_id,
    coalesce(customers.customer_name, summed.customer_id) as customer_name,
    coalesce(customers.segment, 'unknown') as segment,
    customers.plan,
    summed.reporting_currency,
    summed.revenue,
    summed.effective_cost,
    summed.other_cost,
    summed.cost_to_come,
    summed.revenue_to_date - summed.effective_cost as gross_margin,
    case
        when summed.revenue_to_date > 0
        then {{ ratio("(summed.revenue_to_date - summed.effective_cost)", "summed.revenue_to_date") }}
    end as gross_margin_ratio,
    months.is_running,
    months.billed_through,
    summed.revenue_to_date
from summed
inner join {{ ref("billed_months") }} as months using (billing_month)
left join {{ ref("customers") }} as customers using (customer_id)
