{{ config(materialized="view") }}
select null::varchar as stream, reason, detail, batch_location, batch_row, record
from {{ ref("stg_telemetry__quarantine") }}
union all
select stream, reason, detail, batch_location, batch_row, record
from {{ ref("rejected_usage") }}
