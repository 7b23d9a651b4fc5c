{{ config(materialized="view", meta={"has_days": true}) }}
with
    rules as (
        select
            rule_name,
            any_value(method) as method,
            case when any_value(method) = 'stream' then string_agg(distinct stream, ', ') end as stream
        from {{ ref("allocation_rules") }}
        group by rule_name
    ),

    parts as (
        select
            pool_id,
            usage_date,
            direct_customer_id as customer_id,
            'direct' as allocation_kind,
            cast(1 as decimal(38, 12)) as share,
            {{ cost_columns() | join(", ") }}
        from {{ ref("cost_pools") }}
        where direct_customer_id is not null
        union all by name
        select
            pool_id,
            usage_date,
            customer_id,
            'usage' as allocation_kind,
            share,
            usage_window,
            usage_quantity,
            total_usage,
            long_tail_customers,
            {{ cost_columns() | join(", ") }}
        from {{ ref("usage_allocations") }}
        union all by name
        select
            pool_id,
            usage_date,
            customer_id,
            'overhead' as allocation_kind,
            share,
            usage_window,
            usage_quantity,
            total_usage,
            long_tail_customers,
            {{ cost_columns() | join(", ") }}
        from {{ ref("overhead_allocations") }}
        union all by name
        select
            pool_id,
            usage_date,
            'unallocated' as customer_id,
            'unallocated' as allocation_kind,
            reason,
            share,
            {{ cost_columns() | join(", ") }}
        from {{ ref("unallocated_costs") }}
    )

select
    parts.pool_id,
    parts.usage_date,
    parts.customer_id,
    parts.allocation_kind,
    parts.reason,
    pools.allocation_rule,
    rules.method,
    rules.stream,
    parts.usage_window,
    parts.usage_quantity,
    parts.total_usage,
    parts.long_tail_customers,
    parts.share,
    {%- for column in cost_columns() %} parts.{{ column }}{{ "," if not loop.last }} {%- endfor %}
from parts
inner join {{ ref("cost_pools") }} as pools using (pool_id, usage_date)
left join rules on rules.rule_name = pools.allocation_rule
