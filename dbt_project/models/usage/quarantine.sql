{{ config(materialized="view") }}
select reason, detail, batch_location, batch_row, record, quarantined_at
from {{ source("landing", "telemetry_quarantine") }}
union all by name
select
    'unknown-stream' as reason,
    'no stream "' || records.stream || '" in contexts/streams.yml' as detail,
    records.batch_location,
    records.batch_row,
    records.stream as record
from {{ ref("stg_telemetry__usage_records") }} as records
where records.stream not in (select stream from {{ ref("telemetry_streams") }})
