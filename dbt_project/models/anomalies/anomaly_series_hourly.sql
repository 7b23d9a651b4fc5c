-- The hours of customer_costs_hourly. For customer series, only the costliest: hours tell when something
-- began, and series left out here are still monitored by day.
with
    costs as (
        {{
            customer_costs(
                ["usage_date", "cost_hour", anomaly_dimension(), "billing_currency"],
                ["effective_cost"],
                is_newest_day("cost_pools.usage_date", var("hourly_costs_days")),
            )
        }}
    ),

    customer_elements as (
        select
            usage_date,
            cost_hour as usage_hour,
            customer_id,
            coalesce(costs.{{ anomaly_dimension() }}, 'unmatched') as element,
            billing_currency,
            cast(sum(effective_cost) as decimal(38, 12)) as effective_cost
        from costs
        group by all
    ),

    costliest as (
        select customer_id, element, billing_currency
        from customer_elements
        group by all
        order by sum(effective_cost) desc, customer_id, element, billing_currency
        limit {{ var("anomaly_hourly_series") | int }}
    ),

    first_hour as (select min(usage_hour) as usage_hour from customer_elements),

    series as (
        select 'customer_feature' as series_kind, customer_elements.*
        from customer_elements
        inner join costliest using (customer_id, element, billing_currency)
        union all by name
        select
            'feature' as series_kind,
            usage_date,
            cost_hour as usage_hour,
            coalesce(pools.{{ anomaly_dimension() }}, 'unmatched') as element,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("cost_pools") }} as pools
        where {{ is_newest_day("usage_date", var("hourly_costs_days")) }}
        group by all
        union all by name
        -- A charge longer than an hour says nothing about a single hour.
        select
            'service_account' as series_kind,
            usage_date,
            cast(date_trunc('hour', charge_period_start) as timestamp) as usage_hour,
            coalesce(service_name, 'no service') as service_name,
            coalesce(sub_account_id, 'no account') as sub_account_id,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("charges") }}
        where
            charge_period_end <= charge_period_start + interval 1 hour
            and charge_period_start >= (select usage_hour from first_hour)
            and usage_date in (select usage_date from customer_elements)
        group by all
    )

select {{ series_key() }} as series_key, {{ series_columns() }}, usage_date, usage_hour, effective_cost
from series
