with
    sets as (select * from {{ ref("share_sets") }}),

    -- Active customers have any usage on the day.
    active_customers as (
        select distinct usage_date, customer_id
        from {{ ref("usage_by_day") }}
        where usage_date in (select usage_date from sets where allocation_kind = 'even')
    ),

    usage as (
        select usage_date, share_set_id, stream, customer_id, usage_quantity
        from ({{ usage_of_sets("sets") }})
        union all
        select sets.usage_date, sets.share_set_id, null, active_customers.customer_id, 1
        from sets
        inner join active_customers using (usage_date)
        where sets.allocation_kind = 'even'
        union all
        select
            sets.usage_date,
            sets.share_set_id,
            null,
            coalesce(aliases.customer_id, {{ trimmed("rules.fixed_customer_id") }}),
            rules.weight
        from sets
        inner join
            {{ ref("allocation_rules") }} as rules on rules.rule_name = sets.allocation_rule
            {{ join_alias("rules.fixed_customer_id", "sets.usage_date") }}
        where sets.allocation_kind = 'fixed'
    ),

    -- In units of 10^-9, the last digit of usage quantities.
    customer_usage as (
        select
            usage_date,
            share_set_id,
            coalesce(stream, '') as stream,
            customer_id,
            cast(sum(usage_quantity) * 1000000000 as hugeint) as quantity
        from usage
        group by all
    ),

    stream_shares as (
        {{ shares_of_quantities("customer_usage", ["usage_date", "share_set_id", "stream"], "customer_id") }}
    ),

    -- Several streams are combined by weight. The part of a stream without usage is unallocated.
    weighted as (
        select
            sets.usage_date,
            sets.share_set_id,
            coalesce(stream_shares.customer_id, 'unallocated') as customer_id,
            sum(
                cast(sets.weight * coalesce(stream_shares.share, 1) * 1000000000000000000 as hugeint)
            ) as quantity
        from sets
        left join
            stream_shares
            on stream_shares.share_set_id = sets.share_set_id
            and stream_shares.stream = coalesce(sets.stream, '')
        where sets.weight < 1 or stream_shares.share is null
        group by all
    ),

    weighted_shares as (
        {{ shares_of_quantities("weighted", ["usage_date", "share_set_id"], "customer_id") }}
    ),

    divided as (
        select
            usage_date,
            share_set_id,
            customer_id,
            cast(cast(quantity as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as usage_quantity,
            cast(cast(total as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as total_usage,
            share
        from stream_shares
        where share_set_id not in (select share_set_id from weighted)
        union all by name
        select usage_date, share_set_id, customer_id, share
        from weighted_shares
    ),

    minimum_shares as (
        select distinct sets.share_set_id, sets.day_set_id, rules.minimum_share
        from sets
        inner join {{ ref("allocation_rules") }} as rules on rules.rule_name = sets.allocation_rule
        where sets.day_set_id is not null
    ),

    day_shares as (
        select share_set_id, customer_id, share
        from divided
        where share_set_id in (select day_set_id from minimum_shares)
    ),

    -- Customers below the minimum share of the rule's daily usage are in the long tail for all hours of the
    -- day.
    members as (
        select
            divided.*,
            coalesce(
                coalesce(day_shares.share, 0) < minimum_shares.minimum_share
                and divided.customer_id <> 'unallocated',
                false
            ) as is_in_tail
        from divided
        left join minimum_shares using (share_set_id)
        left join
            day_shares
            on day_shares.share_set_id = minimum_shares.day_set_id
            and day_shares.customer_id = divided.customer_id
    )

select
    usage_date,
    share_set_id,
    case when is_in_tail then 'long tail' else customer_id end as customer_id,
    case when is_in_tail then customer_id end as tail_customer_id,
    case when customer_id = 'unallocated' then 'no usage' end as unallocated_reason,
    usage_quantity,
    total_usage,
    share
from members
union all by name
-- Direct and unallocated cost have a set with one member.
select distinct
    usage_date,
    share_set_id,
    coalesce(direct_customer_id, 'unallocated') as customer_id,
    unallocated_reason,
    cast(1 as decimal(13, 12)) as share
from {{ ref("pool_share_sets") }}
where allocation_kind in ('direct', 'unallocated')
