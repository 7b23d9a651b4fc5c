-- Net columns exist only with a discount programme. Landing has already summed every money column with a
-- value, so no file is read.
select distinct
    source_name as x_source_name,
    billing_period,
    coalesce(unnest(billing_account_ids), '') as billing_account_id
from {{ source("landing", "billing_days") }}
where source_amounts['line_item_net_unblended_cost'] is not null
