select source_file, source_row, reason, row_text from {{ ref("stg_revenue__quarantine") }}
