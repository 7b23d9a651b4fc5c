with
    split_sets as (
        select
            *,
            cast(strftime(usage_date, '%Y%m%d') as bigint) * 1000000000
            + dense_rank() over (partition by usage_date order by split_id) as split_set_id
        from {{ ref("split_windows") }}
        where usage_window is not null
    ),

    element_usage as (
        select
            split_sets.split_set_id,
            split_sets.usage_date,
            split_usage.element,
            cast(sum(split_usage.usage_quantity) * 1000000000 as hugeint) as quantity
        from split_sets
        inner join
            {{ ref("split_usage", days_before=30) }} as split_usage
            on split_usage.split_id = split_sets.split_id
            and split_usage.usage_date between split_sets.window_first_date and split_sets.window_last_date
        group by all
    ),

    shares as ({{ shares_of_quantities("element_usage", ["usage_date", "split_set_id"], "element") }})

select
    shares.usage_date,
    split_sets.split_id,
    cast(row_number() over (partition by shares.split_set_id order by shares.element) as integer) as part,
    shares.element,
    cast(cast(shares.quantity as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as usage_quantity,
    cast(cast(shares.total as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as total_usage,
    split_sets.usage_window,
    shares.share
from shares
inner join split_sets using (split_set_id)
