with
    customer_elements as (
        select
            pools.usage_date,
            allocations.customer_id,
            {{ anomaly_element("pools") }} as element,
            pools.billing_currency,
            sum(allocations.effective_cost) as effective_cost
        from {{ ref("allocations") }} as allocations
        inner join {{ ref("cost_pools") }} as pools using (pool_id, usage_date)
        group by all
    ),

    series as (
        select 'customer_feature' as series_kind, *
        from customer_elements
        union all by name
        select
            'feature' as series_kind,
            usage_date,
            element,
            billing_currency,
            sum(effective_cost) as effective_cost
        from customer_elements
        group by all
        union all by name
        select
            'service_account' as series_kind,
            usage_date,
            coalesce(service_name, 'no service') as service_name,
            coalesce(sub_account_id, 'no account') as sub_account_id,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("charges_in_context") }}
        group by all
    )

select {{ series_key() }} as series_key, {{ series_columns() }}, usage_date, effective_cost
from series
