{{ config(meta={"dagster": {"ref": {"name": "split_shares"}}}) }}
-- Law: every part of a charge has a number of its own; beyond this many, those of two dimensions could meet.
select usage_date, split_id, element, part
from {{ ref("split_shares") }}
where part > 99999
