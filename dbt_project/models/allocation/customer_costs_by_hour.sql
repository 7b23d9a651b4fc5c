{%- set mart_columns %}
    usage_date,
    billing_period,
    {{ dimension_columns() }},
    service_name,
    provider_name,
    charge_category,
    billing_currency,
    x_source_name
{%- endset %}
with
    -- Pools that are one row of customer_costs_daily, under the number of the first of them.
    pools as (
        select
            pool_id,
            direct_customer_id,
            allocation_rule,
            min(pool_id) over (partition by {{ mart_columns }}) as row_id,
            {{ mart_columns }}
        from {{ ref("cost_pools") }}
    ),

    -- A charge for several hours costs the same in each; what the division leaves over is spread among them.
    hours_of_periods as (
        select *, unnest(range(hour_count)) as hours_before from {{ ref("cost_pool_periods") }}
    ),

    hours as (
        select
            pool_id,
            usage_hour,
            first_hour + to_hours(hours_before) as cost_hour,
            {%- for column in cost_columns() %}
                sum(
                    {{ whole_quotient(money_units(column) ~ " * (hours_before + 1)", "hour_count") }}
                    - {{ whole_quotient(money_units(column) ~ " * hours_before", "hour_count") }}
                ) as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from hours_of_periods
        group by all
    ),

    run_up as (
        select
            pool_id,
            usage_hour,
            cost_hour,
            {%- for column in cost_columns() %}
                sum({{ column }}_units) over running as {{ column }}_after,
                sum({{ column }}_units) over running - {{ column }}_units as {{ column }}_before
                {{- "," if not loop.last }}
            {%- endfor %}
        from hours
        window running as (partition by pool_id, usage_hour order by cost_hour)
    ),

    -- The part of each stream, as pool_usage takes it from the whole.
    of_streams as (
        select
            run_up.pool_id,
            run_up.usage_hour,
            run_up.cost_hour,
            pool_usage.usage_set_id,
            pool_usage.takes_the_rest,
            {%- for column in cost_columns() %}
                {%- for end in ["before", "after"] %}
                    run_up.{{ column }}_{{ end }} as {{ column }}_{{ end }}_whole,
                    {{
                        whole_quotient(
                            "run_up."
                            ~ column
                            ~ "_"
                            ~ end
                            ~ " * cast(pool_usage.weight * 1000000 as hugeint)",
                            1000000,
                        )
                    }} as {{ column }}_{{ end }}_cut
                    {{- "," if not loop.last }}
                {%- endfor %}
                {{- "," if not loop.last }}
            {%- endfor %}
        from run_up
        inner join
            {{ ref("pool_usage") }} as pool_usage
            on pool_usage.pool_id = run_up.pool_id
            and pool_usage.usage_hour is not distinct from run_up.usage_hour
    ),

    run_up_of_streams as (
        select
            pool_id,
            cost_hour,
            usage_set_id,
            {%- for column in cost_columns() %}
                {%- for end in ["before", "after"] %}
                    {%- set name = column ~ "_" ~ end %}
                    {{ name }}_cut + case
                        when takes_the_rest then {{ name }}_whole - sum({{ name }}_cut) over part else 0
                    end as {{ name }}{{ "," if not loop.last }}
                {%- endfor %}
                {{- "," if not loop.last }}
            {%- endfor %}
        from of_streams
        window part as (partition by pool_id, usage_hour, cost_hour)
    ),

    carried_shares as (
        select - carried_set_id as set_id, usage_date, billing_currency, customer_id, share_units, total_units
        from {{ ref("carried_cost_shares") }}
    ),

    shares as (
        select usage_set_id as set_id, customer_id, share_units, total_units
        from {{ ref("usage_shares") }}
        union all
        select set_id, customer_id, share_units, total_units
        from carried_shares
    ),

    overhead_pools as (
        select pools.pool_id, carried_sets.set_id
        from pools
        inner join
            (select distinct set_id, usage_date, billing_currency from carried_shares) as carried_sets using (
                usage_date, billing_currency
            )
        where
            pools.allocation_rule
            in (select rule_name from {{ ref("allocation_rules") }} where method = 'allocated_cost')
    ),

    running as (
        select * exclude (usage_set_id), usage_set_id as set_id
        from run_up_of_streams
        where usage_set_id is not null
        union all by name
        select run_up.* exclude (usage_hour), overhead_pools.set_id
        from run_up
        inner join overhead_pools using (pool_id)
    )

    {{ divide_hours("running", "shares") }},

    day_parts as (
        select pool_id, customer_id, takes_the_rest
        from {{ ref("usage_allocations") }}
        union all
        select pool_id, customer_id, takes_the_rest
        from {{ ref("overhead_allocations") }}
    ),

    takers as (select pool_id, customer_id from day_parts where takes_the_rest),

    -- Who has no part of its own in the day is part of the pool's long tail.
    pools_with_tail as (select pool_id from day_parts where customer_id = 'long tail'),

    of_customers as (
        select *
        from divided
        where pool_id not in (select pool_id from pools_with_tail)
        union all by name
        select divided.* replace (coalesce(day_parts.customer_id, 'long tail') as customer_id)
        from divided
        inner join pools_with_tail using (pool_id)
        left join
            day_parts on day_parts.pool_id = divided.pool_id and day_parts.customer_id = divided.customer_id
        union all by name
        select missing.*, takers.customer_id
        from missing
        inner join takers using (pool_id)
    ),

    costs as (
        select
            of_customers.*,
            case
                when of_customers.pool_id in (select pool_id from overhead_pools) then 'overhead' else 'usage'
            end as allocation_kind
        from of_customers
        union all by name
        select
            hours.* exclude (usage_hour), pools.direct_customer_id as customer_id, 'direct' as allocation_kind
        from hours
        inner join pools using (pool_id)
        where pools.direct_customer_id is not null
        union all by name
        select
            hours.* exclude (usage_hour),
            'unallocated' as customer_id,
            'unallocated' as allocation_kind,
            unallocated.reason
        from hours
        inner join
            {{ ref("unallocated_costs") }} as unallocated
            on unallocated.pool_id = hours.pool_id
            and unallocated.reason <> 'no usage'
        union all by name
        select
            pool_id,
            cost_hour,
            {%- for column in cost_columns() %}
                {{ column }}_after - {{ column }}_before as {{ column }}_units,
            {%- endfor %}
            'unallocated' as customer_id,
            'unallocated' as allocation_kind,
            'no usage' as reason
        from run_up_of_streams
        where usage_set_id is null
    ),

    summed as (
        select
            pools.row_id,
            costs.cost_hour,
            costs.customer_id,
            costs.allocation_kind,
            costs.reason,
            {%- for column in cost_columns() %}
                sum(costs.{{ column }}_units) as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from costs
        inner join pools using (pool_id)
        group by all
    )

select
    summed.cost_hour as usage_hour,
    pools.usage_date,
    pools.billing_period,
    summed.customer_id,
    {{ dimension_columns("pools") }},
    pools.service_name,
    pools.provider_name,
    pools.charge_category,
    summed.allocation_kind,
    summed.reason as unallocated_reason,
    pools.billing_currency,
    pools.x_source_name,
    {%- for column in cost_columns() %}
        {{ money("summed." ~ column ~ "_units") }} as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from summed
inner join pools on pools.pool_id = summed.row_id
