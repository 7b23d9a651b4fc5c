with
    -- Read twice where it lies: it is as large as all usage.
    shares as not materialized(
        select usage_set_id as set_id, customer_id, share_units, total_units, usage_quantity, total_usage
        from {{ ref("usage_shares") }}
    ),

    parts as (select *, usage_set_id as set_id from {{ ref("pool_usage") }} where usage_set_id is not null)

    {{ divide_pools("parts", "shares") }}
