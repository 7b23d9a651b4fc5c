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
            cast(sum(split_usage.usage_quantity) as decimal(38, 9)) as usage_quantity
        from split_sets
        inner join
            {{ ref("split_usage", days_before=30) }} as split_usage
            on split_usage.split_id = split_sets.split_id
            and split_usage.usage_date between split_sets.window_first_date and split_sets.window_last_date
        group by all
    ),

    shares as (
        with
            quantities as (select * from element_usage)
            {{
                shares_in_whole_units(
                    "quantities",
                    "split_set_id",
                    "usage_quantity",
                    scale=9,
                    digits=18,
                    member_column="element",
                )
            }}
    ),

    ranked as (
        select
            *,
            row_number() over (partition by split_set_id order by element) as part,
            row_number() over (partition by split_set_id order by share_units desc, element)
            = 1 as takes_the_rest
        from shares
    ),

    -- The largest share takes what the division leaves over: all that the others do not get.
    others as (
        select split_set_id, list(share_units order by element) filter (not takes_the_rest) as other_units
        from ranked
        group by split_set_id
    )

select
    ranked.usage_date,
    split_sets.split_id,
    cast(ranked.part as integer) as part,
    ranked.element,
    ranked.usage_quantity,
    ranked.total_usage,
    split_sets.usage_window,
    cast(ranked.share_units as hugeint) as share_units,
    cast(ranked.total_units as hugeint) as total_units,
    cast(
        case when ranked.takes_the_rest then coalesce(others.other_units, []) end as hugeint[]
    ) as other_units
from ranked
inner join split_sets using (split_set_id)
inner join others using (split_set_id)
