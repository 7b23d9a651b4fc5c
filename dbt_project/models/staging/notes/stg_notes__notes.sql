select
    source,
    code,
    severity,
    billing_period,
    subject,
    row_count,
    billing_currency,
    effective_cost,
    message,
    place
from {{ source("landing", "notes") }}
