-- A scan of the charges of its own, so for the latest days only: in `staged_costs`, resources would be a
-- hundred times the rows, for all time. One cost column, as each costs the scan a tenth more.
select
    usage_date,
    service_name,
    sub_account_id,
    x_usage_type as usage_type,
    resource_id,
    billing_currency,
    -- Of a pod on a node it would be the pod's.
    max(resource_name) filter (x_split_parent_id is null) as resource_name,
    sum(effective_cost) as effective_cost
from {{ ref("charges") }}
group by all
