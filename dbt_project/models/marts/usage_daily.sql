-- depends_on: {{ ref("stg_customers__customers") }}
select
    usage_by_day.usage_date,
    usage_by_day.stream,
    usage_by_day.customer_id,
    usage_by_day.filter,
    streams.unit,
    cast(usage_by_day.usage_quantity as decimal(38, 9)) as usage_quantity
from {{ ref("usage_by_day") }} as usage_by_day
inner join {{ ref("telemetry_streams") }} as streams using (stream)
