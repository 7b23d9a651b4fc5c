-- Listed customers, plus those named only by usage or a tag: costs do not wait for master data.
with
    listed as (
        select customer_id, customer_name, segment, plan, aliases from {{ ref("stg_customers__customers") }}
    ),

    charged as (
        select customer_id, min(usage_date) as first_cost_date, max(usage_date) as last_cost_date
        from
            (
                select customer_id, usage_date
                from {{ ref("customer_totals_daily") }}
                where customer_id not in {{ reserved_customers() }}
                union all
                select customer_id, usage_date
                from {{ ref("long_tail_costs") }}
            )
        group by customer_id
    )

select
    customer_id,
    coalesce(listed.customer_name, customer_id) as customer_name,
    coalesce(listed.segment, 'unknown') as segment,
    listed.plan,
    coalesce(listed.aliases, '') as aliases,
    listed.customer_id is not null as is_listed,
    charged.first_cost_date,
    charged.last_cost_date
from listed
full join charged using (customer_id)
