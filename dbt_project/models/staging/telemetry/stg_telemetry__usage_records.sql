{{ config(meta={"has_days": true}) }}
-- Only batches that the ledger counts: a load that was killed half-way is not there yet, and a batch that was
-- replaced may still lie in a file for the moment.
select
    records.usage_date,
    records.usage_timestamp,
    records.stream,
    records.operation,
    records.granularity,
    {{ trimmed("records.customer_id") }} as customer_id,
    records.value,
    records.filter,
    records.record_id,
    -- No batch has four billion rows.
    batches.batch_rank * 4294967296 + records.batch_row as position,
    records.batch_id,
    records.batch_location,
    records.batch_row
from {{ source("landing", "telemetry_records") }} as records
inner join {{ ref("stg_telemetry__batches") }} as batches using (load_id, batch_id)
