-- Streams that stop, fall or lose their customers, judged on the last day billed, by their own past.
with
    through as (
        select least(billed_through, {{ run_day() }} - 1) as last_date from {{ ref("billed_through") }}
    ),

    -- Usage, and that of records which name no customer, where they can be read.
    daily as (
        select
            stream,
            usage_date,
            last_date,
            sum(usage_quantity) as usage_quantity,
            sum(quantity_without_customer) as quantity_without_customer
        from
            (
                select stream, usage_date, usage_quantity
                from {{ ref("usage_by_day") }}
                union all by name
                select
                    stream,
                    cast(try_cast(said ->> '$.timestamp' as timestamp) as date) as usage_date,
                    try_cast(said ->> '$.value' as decimal(36, 9)) as quantity_without_customer
                from
                    (
                        select stream, try_cast(record as json) as said
                        from {{ ref("quarantine") }}
                        where source = 'telemetry' and reason = 'customer-id-missing'
                    )
            )
        inner join through on usage_date between last_date - 62 and last_date
        group by stream, usage_date, last_date
    ),

    -- Silent: longer than ever before. A stream of Mondays is not silent on Saturday.
    streams as (
        select
            stream,
            last_date,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            count(*) >= 3 and last_date - max(usage_date) > max(gap_days) as is_silent
        from
            (
                select
                    *, usage_date - lag(usage_date) over (partition by stream order by usage_date) as gap_days
                from daily
                where usage_quantity is not null
            )
        group by stream, last_date
    ),

    -- Whole weeks since the stream began, the last first.
    weeks as (
        select
            streams.stream,
            weeks_before,
            coalesce(sum(daily.usage_quantity), 0) as usage_quantity,
            coalesce(sum(daily.quantity_without_customer), 0) as quantity_without_customer
        from streams
        cross join (select unnest([0, 1, 2, 3, 4]) as weeks_before)
        left join
            daily
            on daily.stream = streams.stream
            and divide(daily.last_date - daily.usage_date, 7) = weeks_before
        where streams.first_usage_date <= streams.last_date - 7 * weeks_before - 6
        group by streams.stream, weeks_before
    ),

    judged as (
        select
            streams.*,
            sum(usage_quantity) filter (weeks_before = 0) as usage_quantity,
            min(usage_quantity) filter (weeks_before > 0) as least_quantity_before,
            sum(quantity_without_customer) filter (weeks_before = 0) as quantity_without_customer,
            sum(quantity_without_customer) filter (weeks_before = 0) / nullif(
                sum(usage_quantity + quantity_without_customer) filter (weeks_before = 0), 0
            ) as share_without_customer,
            sum(quantity_without_customer) filter (weeks_before > 0) / nullif(
                sum(usage_quantity + quantity_without_customer) filter (weeks_before > 0), 0
            ) as share_without_customer_before
        from streams
        left join weeks using (stream)
        group by all
    ),

    alarms as (
        select
            code,
            stream,
            case code when 'stream-silent' then last_usage_date + 1 else last_date - 6 end as first_date,
            last_date,
            usage_quantity,
            least_quantity_before,
            quantity_without_customer
        from judged
        cross join (select unnest(['stream-silent', 'stream-fell', 'stream-loses-customers']) as code)
        where
            case
                code
                when 'stream-silent'
                then is_silent
                when 'stream-fell'
                then usage_quantity * 2 < least_quantity_before and not is_silent
                else
                    share_without_customer >= 0.01
                    and share_without_customer > 2 * share_without_customer_before
            end
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
    to_json(
        struct_pack(
            divided_cost := cast(costs.divided_cost as varchar),
            usage_quantity := cast(alarms.usage_quantity as varchar),
            least_quantity_before := cast(alarms.least_quantity_before as varchar),
            quantity_without_customer := cast(alarms.quantity_without_customer as varchar)
        )
    ) as facts
from alarms
left join costs using (code, stream)
