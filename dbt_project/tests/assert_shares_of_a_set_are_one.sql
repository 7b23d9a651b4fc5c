{{ config(meta={"dagster": {"ref": {"name": "shares"}}}) }}
-- Law: every pool has a share set, and the shares of a set are positive and sum to exactly 1.
with
    sets as (
        select usage_date, share_set_id, sum(share) as share, min(share) as smallest_share
        from {{ ref("shares") }}
        group by all
    )

select pools.pool_id, pool_sets.share_set_id, sets.share, sets.smallest_share
from (select distinct usage_date, pool_id from {{ ref("cost_pools") }}) as pools
left join {{ ref("pool_share_sets") }} as pool_sets using (usage_date, pool_id)
left join sets using (usage_date, share_set_id)
where sets.share is distinct from 1 or sets.smallest_share <= 0
