{{
    config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="{{ delete_changed_days() }}",
    )
}}
with
    shares as (
        select usage_set_id as set_id, customer_id, share_units, total_units, usage_quantity, total_usage
        from {{ ref("usage_shares") }}
        where {{ in_changed_days() }}
    ),

    parts as (
        select hours.*, pool_usage.usage_set_id as set_id, pool_usage.usage_window
        from {{ ref("cost_pool_hours") }} as hours
        inner join
            {{ ref("pool_usage") }} as pool_usage
            on pool_usage.pool_id = hours.pool_id
            and pool_usage.usage_hour is not distinct from hours.usage_hour
        where pool_usage.usage_set_id is not null and {{ in_changed_days("hours.usage_date") }}
    )

    {{ divide_pools("parts", "shares") }}
