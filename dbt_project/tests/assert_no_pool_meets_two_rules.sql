{{ config(meta={"dagster": {"ref": {"name": "cost_pool_hours"}}}) }}
-- Law: a pool meets one allocation rule, or none.
select pool_id
from {{ ref("cost_pool_hours") }}
group by pool_id
having count(distinct coalesce(allocation_rule, '')) > 1
