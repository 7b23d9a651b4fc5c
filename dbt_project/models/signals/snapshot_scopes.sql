{{ config(materialized="view") }}
select signal, scope, snapshot_time, is_complete, row_count, detail
from {{ ref("stg_signals__snapshot_scopes") }}
