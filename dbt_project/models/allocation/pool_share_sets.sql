with
    pools as (
        select distinct
            pool_id,
            usage_date,
            usage_hour,
            billing_currency,
            cost_of_goods_sold,
            allocation_rule,
            direct_customer_id,
            {{ dimension_columns() }}
        from {{ ref("cost_pools") }}
    ),

    rules as (
        select rule_name, any_value(method) as method, any_value(minimum_share) as minimum_share
        from {{ ref("allocation_rules") }}
        group by rule_name
    ),

    -- Filtered usage divides only pools of the elements it names.
    filters as (
        select
            filter,
            len(
                list_filter(
                    json_keys(filter),
                    lambda dimension:dimension not in ('{{ dimension_names() | join("', '") }}')
                )
            )
            > 0 as names_unknown_dimension,
            {%- for name in dimension_names() %}
                cast(
                    json_extract(filter, '$.{{ name }}') as varchar[]
                ) as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}
        from (select distinct filter from {{ ref("usage_by_day", days_before=30) }} where filter is not null)
    ),

    -- Only filters within the look-back window, so that share sets are the same in every run.
    days_of_filters as (
        select distinct pools.usage_date, usage.filter
        from (select distinct usage_date from pools) as pools
        inner join
            (
                select distinct usage_date, filter
                from {{ ref("usage_by_day", days_before=30) }}
                where filter is not null
            ) as usage
            on usage.usage_date between pools.usage_date - 30 and pools.usage_date
    ),

    element_filters as (
        select
            elements.usage_date,
            {{ dimension_columns("elements") }},
            string_agg(filters.filter, chr(10) order by filters.filter) as filters
        from (select distinct usage_date, {{ dimension_columns() }} from pools) as elements
        inner join days_of_filters using (usage_date)
        inner join
            filters on filters.filter = days_of_filters.filter and not filters.names_unknown_dimension
            {%- for name in dimension_names() %}
                and (filters.{{ name }} is null or list_contains(filters.{{ name }}, elements.{{ name }}))
            {%- endfor %}
        group by all
    ),

    decided as (
        select
            pools.pool_id,
            pools.usage_date,
            pools.usage_hour,
            pools.billing_currency,
            pools.allocation_rule,
            rules.minimum_share,
            case
                when pools.usage_date > through.billed_through
                then 'day to come'
                when not pools.cost_of_goods_sold
                then 'not cost of goods sold'
                when pools.allocation_rule is null
                then 'no rule'
                when rules.method = 'none'
                then 'rule: none'
                when rules.method = 'to' and pools.direct_customer_id is null
                then 'no customer named'
                when
                    rules.method = 'to'
                    and coalesce(aliases.customer_id, {{ trimmed("pools.direct_customer_id") }})
                    in {{ reserved_customers() }}
                then 'reserved customer id'
            end as unallocated_reason,
            case
                when unallocated_reason is not null
                then 'unallocated'
                when rules.method = 'to'
                then 'direct'
                when rules.method = 'stream'
                then 'usage'
                when rules.method = 'allocated_cost'
                then 'overhead'
                else rules.method
            end as allocation_kind,
            case
                when rules.method = 'to' and unallocated_reason is null
                then coalesce(aliases.customer_id, {{ trimmed("pools.direct_customer_id") }})
            end as direct_customer_id,
            case when rules.method = 'stream' then coalesce(element_filters.filters, '') end as filters,
            case when rules.method = 'allocated_cost' then pools.billing_currency end as set_currency
        from pools
        cross join {{ ref("billed_through") }} as through
        left join rules on rules.rule_name = pools.allocation_rule
        left join
            element_filters on element_filters.usage_date = pools.usage_date
            {%- for name in dimension_names() %}
                and element_filters.{{ name }} is not distinct from pools.{{ name }}
            {%- endfor %}
            {{ join_alias("pools.direct_customer_id", "pools.usage_date") }}
    )

    {%- set in_day = ["usage_date", "allocation_kind", "unallocated_reason", "direct_customer_id"] %}
    {%- set in_day = in_day + ["set_rule", "set_currency", "filters"] %}

select
    pool_id,
    usage_date,
    usage_hour,
    billing_currency,
    allocation_kind,
    unallocated_reason,
    direct_customer_id,
    allocation_rule,
    minimum_share,
    filters,
    md5_number_lower(
        cast(to_json([{{ columns_as_text(in_day + ["usage_hour"]) }}]) as varchar)
    ) as share_set_id,
    -- The same rule for the whole day, used to apply the minimum share.
    case
        when minimum_share is not null
        then md5_number_lower(cast(to_json([{{ columns_as_text(in_day + ["null"]) }}]) as varchar))
    end as day_set_id
from
    (
        select
            *, case when allocation_kind not in ('direct', 'unallocated') then allocation_rule end as set_rule
        from decided
    )
