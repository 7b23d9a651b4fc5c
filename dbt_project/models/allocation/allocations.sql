{{ config(materialized="view", meta={"has_days": true}) }}
-- Every cost with its two factors.
with
    pools as (
        select pool_id, usage_date, {{ sum_of_cost_columns() }}
        from {{ ref("cost_pools") }}
        group by pool_id, usage_date
    )

select
    sets.pool_id,
    sets.usage_date,
    sets.usage_hour,
    sets.share_set_id,
    sets.allocation_rule,
    shares.customer_id,
    case
        when shares.unallocated_reason is null then sets.allocation_kind else 'unallocated'
    end as allocation_kind,
    shares.unallocated_reason,
    shares.usage_quantity,
    shares.total_usage,
    shares.carried_cost,
    shares.total_carried_cost,
    shares.long_tail_customers,
    shares.share,
    pools.effective_cost as pool_cost,
    {%- for column in cost_columns() %}
        pools.{{ column }} * shares.share as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref("pool_share_sets") }} as sets
inner join pools using (pool_id, usage_date)
inner join {{ ref("shares") }} as shares using (share_set_id, usage_date)
