with
    customer_elements as (
        {{ customer_costs(["usage_date", anomaly_dimension(), "billing_currency"], ["effective_cost"]) }}
    ),

    stream_costs as (
        select
            pools.usage_date,
            share_sets.stream,
            pools.billing_currency,
            sum(pools.effective_cost * share_sets.weight) as effective_cost
        from {{ ref("cost_pools") }} as pools
        inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
        inner join {{ ref("share_sets") }} as share_sets using (usage_date, share_set_id)
        where share_sets.stream is not null
        group by all
    ),

    stream_usage as (
        select usage_date, stream, sum(usage_quantity) as usage_quantity
        from {{ ref("usage_by_day") }}
        group by all
        having sum(usage_quantity) > 0
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
        union all by name
        -- What a million units of a stream cost: finds cost that stayed although usage fell.
        select
            'unit_cost' as series_kind,
            usage_date,
            stream as element,
            billing_currency,
            try_cast(
                cast(effective_cost as double) * 1000000 / cast(usage_quantity as double) as decimal(38, 12)
            ) as effective_cost
        from stream_costs
        inner join stream_usage using (usage_date, stream)
        where effective_cost > 0
    )

select {{ series_key() }} as series_key, {{ series_columns() }}, usage_date, effective_cost
from series
where effective_cost is not null and usage_date <= (select billed_through from {{ ref("billed_through") }})
