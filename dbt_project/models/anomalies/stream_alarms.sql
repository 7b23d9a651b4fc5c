-- Streams that stop, fall or lose their customers, judged on the last day billed, by their own past.
with
    through as (
        select least(billed_through, {{ run_day() }} - 1) as last_date from {{ ref("billed_through") }}
    ),

    daily as (
        select
            usage.stream,
            usage.usage_date,
            divide(through.last_date - usage.usage_date, 7) as weeks_before,
            sum(usage.usage_quantity) as usage_quantity
        from {{ ref("usage_by_day") }} as usage
        inner join through on usage.usage_date between through.last_date - 62 and through.last_date
        group by all
    ),

    -- Silent: longer than ever before. A stream of Mondays is not silent on Saturday.
    streams as (
        select
            stream,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            count(*) as day_count,
            max(gap_days) as longest_gap_days,
            day_count >= 3 and any_value(last_date) - last_usage_date > longest_gap_days as is_silent
        from
            (
                select
                    *, usage_date - lag(usage_date) over (partition by stream order by usage_date) as gap_days
                from daily
            )
        cross join through
        group by stream
    ),

    -- Records that name no customer, where they can be read.
    records_without_customer as (
        select
            stream,
            divide(
                through.last_date - cast(try_cast(said ->> '$.timestamp' as timestamp) as date), 7
            ) as weeks_before,
            coalesce(try_cast(said ->> '$.value' as decimal(38, 9)), 0) as usage_quantity
        from
            (
                select stream, case when json_valid(record) then cast(record as json) end as said
                from {{ ref("quarantine") }}
                where source = 'telemetry' and reason = 'customer-id-missing'
            )
        cross join through
    ),

    -- Whole weeks since the stream began, the last first.
    weeks as (
        select
            streams.stream,
            weeks.weeks_before,
            coalesce(daily.usage_quantity, 0) as usage_quantity,
            coalesce(nobody.usage_quantity, 0) as quantity_without_customer
        from streams
        cross join through
        cross join (select unnest([0, 1, 2, 3, 4]) as weeks_before) as weeks
        left join
            (
                select stream, weeks_before, sum(usage_quantity) as usage_quantity from daily group by all
            ) as daily
            on daily.stream = streams.stream
            and daily.weeks_before = weeks.weeks_before
        left join
            (
                select stream, weeks_before, sum(usage_quantity) as usage_quantity
                from records_without_customer
                group by all
            ) as nobody
            on nobody.stream = streams.stream
            and nobody.weeks_before = weeks.weeks_before
        where streams.first_usage_date <= through.last_date - 7 * weeks.weeks_before - 6
    ),

    weeks_by_stream as (
        select
            stream,
            sum(usage_quantity) filter (weeks_before = 0) as quantity,
            sum(quantity_without_customer) filter (weeks_before = 0) as lost,
            min(usage_quantity) filter (weeks_before > 0) as least_before,
            sum(usage_quantity) filter (weeks_before > 0) as quantity_before,
            sum(quantity_without_customer) filter (weeks_before > 0) as lost_before
        from weeks
        group by stream
    ),

    alarms as (
        select
            'stream-silent' as code,
            stream,
            last_usage_date + 1 as first_date,
            last_date,
            'stream "'
            || stream
            || '" is silent since '
            || last_usage_date
            || ' ('
            || last_date
            - last_usage_date
            || ' days): see whether it is still sent or pulled' as message
        from streams
        cross join through
        where is_silent
        union all by name
        select
            'stream-fell' as code,
            stream,
            last_date - 6 as first_date,
            last_date,
            'stream "'
            || stream
            || '" has '
            || cast(quantity as decimal(38, 2))
            || ' in the last 7 days, less than half of its lowest week before ('
            || cast(least_before as decimal(38, 2))
            || '): see whether all of it still arrives' as message
        from weeks_by_stream
        inner join streams using (stream)
        cross join through
        where quantity * 2 < least_before and not is_silent
        union all by name
        select
            'stream-loses-customers' as code,
            stream,
            last_date - 6 as first_date,
            last_date,
            'stream "'
            || stream
            || '" has '
            || cast(lost as decimal(38, 2))
            || ' without a customer in the last 7 days and '
            || cast(quantity as decimal(38, 2))
            || ' with one: its share more than doubled, and what others used divides the cost' as message
        from weeks_by_stream
        cross join through
        where
            lost * 100 >= lost + quantity
            and lost * (quantity_before + lost_before) > 2 * lost_before * (lost + quantity)
    ),

    alarm_sets as (
        select alarms.code, alarms.stream, sets.usage_date, sets.share_set_id
        from alarms
        inner join
            {{ ref("share_sets") }} as sets
            on sets.stream = alarms.stream
            and sets.usage_date between alarms.first_date and alarms.last_date
    ),

    -- What usage divides of each set, and what is left without usage. Usually there is no alarm, and no share
    -- is read.
    parts as (
        select usage_date, share_set_id, shares.unallocated_reason is null as is_divided, sum(share) as share
        from (select distinct usage_date, share_set_id from alarm_sets) as sets
        inner join {{ ref("shares_before_overhead") }} as shares using (usage_date, share_set_id)
        group by all
    ),

    costs as (
        select
            alarm_sets.code,
            alarm_sets.stream,
            pools.billing_currency,
            sum(pools.effective_cost * parts.share) filter (parts.is_divided) as divided_cost,
            sum(pools.effective_cost * parts.share) filter (not parts.is_divided) as unallocated_cost
        from alarm_sets
        inner join parts using (usage_date, share_set_id)
        inner join {{ ref("pool_share_sets") }} as pool_sets using (usage_date, share_set_id)
        inner join {{ ref("cost_pools") }} as pools using (usage_date, pool_id)
        group by alarm_sets.code, alarm_sets.stream, pools.billing_currency
    )

select
    alarms.code,
    alarms.stream,
    alarms.first_date as first_usage_date,
    alarms.last_date as last_usage_date,
    costs.billing_currency,
    coalesce(
        case when alarms.code = 'stream-silent' then costs.unallocated_cost else costs.divided_cost end, 0
    ) as effective_cost,
    alarms.message || case
        when alarms.code = 'stream-silent' and costs.divided_cost <> 0
        then
            '; '
            || cast(costs.divided_cost as decimal(38, 2))
            || ' '
            || costs.billing_currency
            || ' more is divided by older or other usage'
        else ''
    end as message
from alarms
left join costs using (code, stream)
