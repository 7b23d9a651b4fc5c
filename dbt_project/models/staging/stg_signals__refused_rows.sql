select 'inventory' as signal, location, file_row, reason, detail, record
from {{ source("landing", "inventory_refused") }}
union all
select 'accounts' as signal, location, file_row, reason, detail, record
from {{ source("landing", "accounts_refused") }}
union all
select 'deployments' as signal, location, file_row, reason, detail, record
from {{ source("landing", "deployments_refused") }}
union all
select 'opencost' as signal, location, file_row, reason, detail, record
from {{ source("landing", "opencost_refused") }}
