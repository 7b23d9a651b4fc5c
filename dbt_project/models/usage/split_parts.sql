{{ config(materialized="view") }}
-- A part covers its charge from share_before to share_through: its amount is the difference of the two
-- cumulative amounts, each rounded to the last digit, so the parts sum to any amount.
with
    listed as (
        select
            dimension,
            rule_position,
            method,
            element,
            share,
            count(*) over (partition by dimension, rule_position) as part_count,
            row_number() over (partition by dimension, rule_position order by element) as part
        from {{ ref("split_rules") }}
        where method <> 'stream'
    ),

    by_usage as (
        select distinct dimension, rule_position, split_id
        from {{ ref("split_rules") }}
        where method = 'stream'
    ),

    shares as (
        select
            dimension,
            rule_position,
            null::date as usage_date,
            element,
            -- Equal shares that do not divide evenly: the remainder goes to the first elements.
            case
                when method = 'fixed'
                then share
                else
                    (
                        divide(1000000000000, part_count)
                        + case when part = 1 then 1000000000000 % part_count else 0 end
                    )
                    * 0.000000000001
            end as share
        from listed
        union all
        select
            by_usage.dimension,
            by_usage.rule_position,
            split_shares.usage_date,
            split_shares.element,
            split_shares.share
        from by_usage
        inner join {{ ref("split_shares") }} as split_shares using (split_id)
        where split_shares.element is not null
    )

select
    dimension,
    rule_position,
    usage_date,
    cast(row_number() over elements as integer) as part,
    element,
    cast(sum(share) over elements - share as decimal(13, 12)) as share_before,
    cast(sum(share) over elements as decimal(13, 12)) as share_through
from shares
window
    elements as (
        partition by dimension, rule_position, usage_date
        order by element
        rows between unbounded preceding and current row
    )
