with
    usage_sets as (
        select distinct
            usage_set_id,
            usage_date,
            method,
            stream,
            filters,
            usage_window,
            window_start,
            window_last_date,
            case when method = 'fixed' then allocation_rule end as fixed_rule
        from {{ ref("pool_usage") }}
        where usage_set_id is not null
    ),

    set_days as (
        select
            usage_set_id,
            usage_date,
            stream,
            filters,
            cast(
                unnest(range(window_start, window_last_date + interval 1 day, interval 1 day)) as date
            ) as window_date
        from usage_sets
        where method = 'stream' and usage_window <> 'hour'
    ),

    -- "Active": with any usage on the day.
    active_customers as (
        select distinct usage_date, customer_id
        from {{ ref("usage_by_day") }}
        where usage_date in (select usage_date from usage_sets where method = 'even')
    ),

    usage as (
        select usage_sets.usage_set_id, usage_sets.usage_date, hourly.customer_id, hourly.usage_quantity
        from usage_sets
        inner join
            {{ ref("usage_hourly") }} as hourly
            on hourly.stream = usage_sets.stream
            and hourly.usage_hour = usage_sets.window_start
            and hourly.usage_date = usage_sets.usage_date
        where
            usage_sets.usage_window = 'hour'
            and (hourly.filter is null or list_contains(usage_sets.filters, hourly.filter))
        union all
        select set_days.usage_set_id, set_days.usage_date, daily.customer_id, daily.usage_quantity
        from set_days
        inner join
            {{ ref("usage_by_day", days_before=30) }} as daily
            on daily.stream = set_days.stream
            and daily.usage_date = set_days.window_date
        where daily.filter is null or list_contains(set_days.filters, daily.filter)
        union all
        select usage_sets.usage_set_id, usage_sets.usage_date, active_customers.customer_id, 1
        from usage_sets
        inner join active_customers using (usage_date)
        where usage_sets.method = 'even'
        union all
        select
            usage_sets.usage_set_id,
            usage_sets.usage_date,
            {{ customer_of("rules.fixed_customer_id") }},
            rules.weight
        from usage_sets
        inner join
            {{ ref("allocation_rules") }} as rules on rules.rule_name = usage_sets.fixed_rule
            {{ join_alias("rules.fixed_customer_id", "usage_sets.usage_date") }}
        where usage_sets.method = 'fixed'
    ),

    customer_usage as (
        select
            usage_set_id,
            usage_date,
            customer_id,
            cast(sum(usage_quantity) as decimal(38, 9)) as usage_quantity
        from usage
        group by all
    )

    {{ shares_in_whole_units("customer_usage", "usage_set_id", "usage_quantity", scale=9, digits=18) }}
