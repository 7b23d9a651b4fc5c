{{ config(meta={"dagster": {"ref": {"name": "allocations"}}}) }}
-- Law: pool by pool and in every cost column, allocated + unallocated = the pool.
select
    pools.pool_id,
    {%- for column in cost_columns() %}
        any_value(pools.{{ column }}) as pool_{{ column }},
        sum(allocations.{{ column }}) as given_{{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref("cost_pools") }} as pools
left join {{ ref("allocations") }} as allocations using (pool_id, usage_date)
group by pools.pool_id
having
    {%- for column in cost_columns() %}
        any_value(pools.{{ column }})
        is distinct from sum(allocations.{{ column }}) {{ "or" if not loop.last }}
    {%- endfor %}
