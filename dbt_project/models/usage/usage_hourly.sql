{{ config(materialized="view", meta={"has_days": true}) }}
select usage_date, usage_period_start as usage_hour, stream, customer_id, filter, usage_quantity
from {{ ref("usage_by_period") }}
where usage_granularity = 'hourly'
