-- Costs do not wait for master data: customers named only by usage or a tag have a row as well.
-- So have `unallocated` and `long tail`: a join on customer_id keeps every cost.
-- depends_on: {{ ref("stg_customers__customers") }}
with
    charged as (
        select customer_id, min(usage_date) as first_cost_date, max(usage_date) as last_cost_date
        from
            (
                select customer_id, usage_date
                from {{ ref("customer_totals_daily") }}
                union all
                select customer_id, usage_date
                from {{ ref("long_tail_costs") }}
            )
        group by customer_id
    ),

    known as (
        select customer_id
        from {{ ref("stg_customers__customers") }}
        union
        select customer_id
        from charged
        union
        select customer_id
        from {{ ref("usage_daily") }}
        union
        select unnest(list_value{{ reserved_customers() }})
    ),

    named as ({{ customer_names("select customer_id from known") }})

select
    named.customer_id,
    named.customer_name,
    named.segment,
    listed.plan,
    coalesce(listed.aliases, '') as aliases,
    named.customer_id not in {{ reserved_customers() }} as is_customer,
    listed.customer_id is not null as is_listed,
    charged.first_cost_date,
    charged.last_cost_date
from named
left join {{ ref("stg_customers__customers") }} as listed using (customer_id)
left join charged using (customer_id)
