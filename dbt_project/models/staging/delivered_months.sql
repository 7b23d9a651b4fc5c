{{ config(materialized="view") }}
select
    source_name as x_source_name,
    cast(billing_period || '-01' as date) as billing_month,
    count(distinct delivery) filter (where row_count > 0) as delivery_count,
    max(usage_date) filter (where usage_row_count > 0) as last_usage_date
from {{ source("landing", "billing_days") }}
group by source_name, billing_period
