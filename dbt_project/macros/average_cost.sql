{# Query: customers' costs by day and currency. A customer's part of the long tail is part of its cost. #}
{% macro costs_of_customers() %}
    select usage_date, billing_currency, customer_id, sum(effective_cost) as effective_cost
    from
        (
            select usage_date, billing_currency, customer_id, effective_cost
            from {{ ref("customer_totals_daily") }}
            where customer_id not in {{ reserved_customers() }}
            union all
            select usage_date, billing_currency, customer_id, effective_cost
            from {{ ref("long_tail_costs") }}
        )
    group by all
{% endmacro %}

{#
  Query: the average cost of customers by day, month and segment. `customer_days` has their costs by usage_date,
  customer_id and billing_currency.
#}
{% macro average_cost(customer_days) %}
    with
        customer_days as ({{ customer_days }}),

        customer_periods as (
            select
                'daily' as period_grain,
                totals.usage_date as period_start,
                totals.billing_currency,
                totals.customer_id,
                totals.effective_cost
            from customer_days as totals
            union all
            select
                'monthly' as period_grain,
                cast(date_trunc('month', totals.usage_date) as date) as period_start,
                totals.billing_currency,
                totals.customer_id,
                sum(totals.effective_cost) as effective_cost
            from customer_days as totals
            group by all
        ),

        in_segments as (
            select customer_periods.*, unnest([null, customers.segment]) as segment
            from customer_periods
            inner join {{ ref("customers") }} as customers using (customer_id)
        ),

        ranked as (
            select
                *,
                row_number() over (
                    partition by period_grain, period_start, billing_currency, segment
                    order by effective_cost desc, customer_id
                ) as cost_rank,
                count(*) over (
                    partition by period_grain, period_start, billing_currency, segment
                ) as customer_count
            from in_segments
        ),

        summed as (
            select
                period_grain,
                period_start,
                segment,
                billing_currency,
                count(*) as customer_count,
                sum(effective_cost) as total_cost,
                -- Discrete percentiles: of an even number of customers, the median is the lower middle one.
                quantile_disc(effective_cost, 0.5) as median_cost,
                quantile_disc(effective_cost, 0.9) as p90_cost,
                max(effective_cost) as highest_cost,
                sum(
                    case when cost_rank <= divide(customer_count + 9, 10) then effective_cost else 0 end
                ) as top_tenth_cost
            from ranked
            group by all
        )

    select
        period_grain,
        period_start,
        segment,
        billing_currency,
        customer_count,
        {%- for grain in ["daily", "monthly"] %}
            case
                when period_grain = '{{ grain }}' and segment is not null then total_cost
            end as {{ grain }}_cost,
        {%- endfor %}
        {{ money_divided_by("total_cost", "customer_count") }} as mean_cost,
        median_cost,
        p90_cost,
        highest_cost,
        {{ ratio("top_tenth_cost", "total_cost") }} as top_10_percent_share
    from summed
{% endmacro %}
