{{ config(meta={"dagster": {"ref": {"name": "usage_by_day"}}}) }}
-- Law: no customer has the id `unallocated` or `long tail`, or its cost would be mixed up with theirs.
select customer_id
from {{ ref("usage_by_day") }}
where customer_id in {{ reserved_customers() }}
union all
select direct_customer_id
from {{ ref("pool_share_sets") }}
where direct_customer_id in {{ reserved_customers() }}
