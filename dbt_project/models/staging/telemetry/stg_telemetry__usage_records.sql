{{ config(meta={"has_days": true}) }}
-- Only batches that the ledger counts: a load that was killed half-way is not there yet, and a batch that was
-- replaced may still lie in a file for the moment.
select
    records.usage_date,
    records.usage_timestamp,
    records.stream,
    records.operation,
    records.granularity,
    records.customer_id,
    records.value,
    records.filter,
    records.record_id,
    records.position,
    records.batch_id,
    records.batch_location,
    records.batch_row
from {{ source("landing", "telemetry_records") }} as records
where
    (records.load_id, records.batch_id)
    in (select (load_id, batch_id) from {{ source("landing", "telemetry_batches") }} where status = 'loaded')
