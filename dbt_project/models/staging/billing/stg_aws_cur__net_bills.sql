-- Net columns are there only with a discount programme. The landing has summed every money column that has a
-- value, so that no file is read for it.
select distinct
    source_name as x_source_name,
    billing_period,
    coalesce(unnest(billing_account_ids), '') as billing_account_id
from {{ source("landing", "billing_days") }}
where source_amounts['line_item_net_unblended_cost'] is not null
