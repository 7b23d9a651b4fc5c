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
            cast({{ whole_quotient("1000000000000 * share_units", "total_units") }} as bigint) as units,
            row_number() over (partition by split_set_id order by element) as part,
            row_number() over (partition by split_set_id order by share_units desc, element) = 1 as is_largest
        from shares
    )

select
    ranked.usage_date,
    split_sets.split_id,
    cast(ranked.part as integer) as part,
    ranked.element,
    ranked.usage_quantity,
    ranked.total_usage,
    split_sets.usage_window,
    -- Cut at the last digit; what is missing to 1 goes to the largest.
    cast(
        (
            ranked.units + case
                when ranked.is_largest
                then 1000000000000 - sum(ranked.units) over (partition by ranked.split_set_id)
                else 0
            end
        )
        * 0.000000000001 as decimal(13, 12)
    ) as share
from ranked
inner join split_sets using (split_set_id)
