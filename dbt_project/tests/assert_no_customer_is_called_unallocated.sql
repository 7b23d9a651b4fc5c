{{ config(meta={"dagster": {"ref": {"name": "usage_allocations"}}}) }}
-- Law: `unallocated` is nobody's id; a customer of that name would hide in what nobody carries.
select customer_id
from {{ ref("usage_allocations") }}
where customer_id = 'unallocated'
union all
select direct_customer_id
from {{ ref("cost_pools") }}
where direct_customer_id = 'unallocated'
