{{
    config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="{{ delete_changed_days() }}",
    )
}}
select * exclude (delivery)
from {{ ref("stg_aws_cur__charges") }}
where {{ in_changed_deliveries("aws_cur") }} and {{ in_changed_days() }}
union all by name
select * exclude (delivery)
from {{ ref("stg_focus__charges") }}
where {{ in_changed_deliveries("focus") }} and {{ in_changed_days() }}
