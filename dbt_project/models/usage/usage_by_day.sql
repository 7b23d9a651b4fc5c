{{
    config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="{{ delete_changed_days() }}",
    )
}}
select usage_date, stream, customer_id, filter, sum(usage_quantity) as usage_quantity
from {{ ref("usage_by_period") }}
where {{ in_changed_days() }}
group by all
