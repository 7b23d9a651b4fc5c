select
    file as source_file,
    file_row as source_row,
    customer_id,
    period_start,
    period_end,
    amount as revenue,
    currency as billing_currency,
    product
from {{ source("landing", "revenue") }}
