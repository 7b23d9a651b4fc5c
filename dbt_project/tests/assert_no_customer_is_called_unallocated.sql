{{ config(meta={"dagster": {"ref": {"name": "usage_shares"}}}) }}
-- Law: `unallocated` and `long tail` are nobody's ids; a customer of that name would hide in what no one
-- customer carries.
select customer_id
from {{ ref("usage_shares") }}
where customer_id in ('unallocated', 'long tail')
union all
select direct_customer_id
from {{ ref("cost_pools") }}
where direct_customer_id in ('unallocated', 'long tail')
