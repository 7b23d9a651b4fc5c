select batch_id, batch_location, record_count, quarantined_count
from {{ source("landing", "telemetry_batches") }}
where status = 'loaded'
