{{ config(meta={"dagster": {"ref": {"name": "usage_by_day"}}}) }}
-- Law: `unallocated` and `long tail` are nobody's ids; a customer of that name would hide in what no one
-- customer carries.
select customer_id
from {{ ref("usage_by_day") }}
where customer_id in {{ reserved_customers() }}
union all
select direct_customer_id
from {{ ref("pool_share_sets") }}
where direct_customer_id in {{ reserved_customers() }}
