{{ config(meta={"dagster": {"ref": {"name": "split_shares"}}}) }}
-- Law: every part of a charge has its own number; beyond this limit, numbers of two dimensions could
-- collide.
select usage_date, split_id, element, part
from {{ ref("split_shares") }}
where part > 99999
