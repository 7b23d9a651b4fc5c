with
    customer_elements as (
        {{ customer_costs(["usage_date", anomaly_dimension(), "billing_currency"], ["effective_cost"]) }}
    ),

    -- Anomaly detection is an estimate: the bill's twelve digits are enough.
    series as (
        select
            'customer_feature' as series_kind,
            usage_date,
            customer_id,
            coalesce(customer_elements.{{ anomaly_dimension() }}, 'unmatched') as element,
            billing_currency,
            cast(sum(effective_cost) as decimal(38, 12)) as effective_cost
        from customer_elements
        group by all
        union all by name
        select
            'feature' as series_kind,
            usage_date,
            coalesce(pools.{{ anomaly_dimension() }}, 'unmatched') as element,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("cost_pools") }} as pools
        group by all
        union all by name
        select
            'service_account' as series_kind,
            usage_date,
            coalesce(service_name, 'no service') as service_name,
            coalesce(sub_account_id, 'no account') as sub_account_id,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("staged_costs") }}
        group by all
    )

select {{ series_key() }} as series_key, {{ series_columns() }}, usage_date, effective_cost
from series
where usage_date <= (select billed_through from {{ ref("billed_through") }})
