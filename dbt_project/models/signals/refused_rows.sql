{{ config(materialized="view") }}
select signal, location, file_row, reason, detail, record
from {{ ref("stg_signals__refused_rows") }}
