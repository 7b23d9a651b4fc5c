select file as source_file, file_row as source_row, reason, row_text
from {{ source("landing", "revenue_quarantine") }}
