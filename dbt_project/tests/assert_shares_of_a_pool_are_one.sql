{{ config(meta={"dagster": {"ref": {"name": "allocations"}}}) }}
-- Law: what customers carry and what is unallocated are the whole pool: the shares add up to exactly 1.
select pools.pool_id, sum(allocations.share) as share
from {{ ref("cost_pools") }} as pools
left join {{ ref("allocations") }} as allocations using (pool_id, usage_date)
group by pools.pool_id
having sum(allocations.share) is distinct from 1
