select reason, detail, batch_location, batch_row, record, quarantined_at
from {{ source("landing", "telemetry_quarantine") }}
