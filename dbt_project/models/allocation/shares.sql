{{ config(materialized="view", meta={"has_days": true}) }}
select *
from {{ ref("shares_before_overhead") }}
union all by name
select *
from {{ ref("overhead_shares") }}
