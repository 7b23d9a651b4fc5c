{{ config(materialized="table") }}
with
    days as (
        select min(usage_date) as first_day, max(usage_date) + 1 as day_after from {{ ref("changed_days") }}
    ),

    source as (
        select *
        from {{ source("landing", "opencost_allocations") }}
        where window_end > (select first_day from days) and window_start <= (select day_after from days)
    ),

    -- The latest export of a window counts.
    exported as (
        select *
        from source
        qualify
            rank() over (
                partition by cluster, coalesce(node, provider_id), window_start, window_end
                order by modified desc, location desc
            )
            = 1
    ),

    -- Idle rows of older OpenCost versions have the node's name instead of its id; the node's pods have
    -- both.
    identified as (
        select *, nullif(regexp_extract(provider_id, '(i-[0-9a-f]+)$', 1), '') as own_instance_id
        from exported
    ),

    placed as (
        select
            *,
            coalesce(
                own_instance_id,
                max(own_instance_id) over (partition by cluster, node, window_start, window_end),
                last_value(own_instance_id ignore nulls) over (
                    partition by cluster, node
                    order by window_start
                    rows between unbounded preceding and current row
                ),
                first_value(own_instance_id ignore nulls) over (
                    partition by cluster, node
                    order by window_start
                    rows between current row and unbounded following
                )
            ) as instance_id,
            -- OpenCost rounds, so idle cost can come out negative.
            greatest(cast((cpu_cost + gpu_cost + ram_cost) * 1000000000 as hugeint), 0) as weight
        from identified
    )

select
    instance_id,
    window_start,
    window_end,
    cluster,
    case when is_idle then '__idle__' else namespace end as namespace,
    case when not is_idle then controller_kind end as controller_kind,
    case when not is_idle then controller end as controller,
    case when is_idle then '__idle__' else pod end as pod,
    max_by({{ with_tag_keys("labels") }}, (weight, file_row)) as labels,
    is_idle,
    sum(weight) as weight
from placed
where instance_id is not null
group by all
