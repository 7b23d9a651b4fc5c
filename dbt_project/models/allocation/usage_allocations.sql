{{
    config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="{{ delete_changed_days() }}",
    )
}}
with
    -- Read twice where it lies: it is as large as all usage.
    shares as not materialized(
        select usage_set_id as set_id, customer_id, share_units, total_units, usage_quantity, total_usage
        from {{ ref("usage_shares") }}
        where {{ in_changed_days() }}
    ),

    parts as (
        select *, usage_set_id as set_id
        from {{ ref("pool_usage") }}
        where usage_set_id is not null and {{ in_changed_days() }}
    )

    {{ divide_pools("parts", "shares") }}
