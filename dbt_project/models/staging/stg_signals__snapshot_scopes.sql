select 'inventory' as signal, scope, snapshot_time, is_complete, row_count, detail
from {{ source("landing", "inventory_snapshots") }}
union all
select 'accounts' as signal, scope, snapshot_time, is_complete, row_count, detail
from {{ source("landing", "account_snapshots") }}
