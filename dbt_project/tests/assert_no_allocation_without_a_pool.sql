{{ config(meta={"dagster": {"ref": {"name": "usage_allocations"}}}) }}
-- Law: nothing is given out that is in no pool.
select pool_id, customer_id
from {{ ref("usage_allocations") }}
where pool_id not in (select pool_id from {{ ref("cost_pools") }})
union all
select pool_id, customer_id
from {{ ref("overhead_allocations") }}
where pool_id not in (select pool_id from {{ ref("cost_pools") }})
