{{ config(materialized="table") }}
-- Usage during an anomaly and at the same time in previous weeks: of the stream that divides most of the
-- element's cost, for the customer or in total; for a service in an account, of its costliest usage type.
with
    windows as (
        select * exclude (windows), unnest(windows, recursive := true) from {{ ref("anomaly_costs") }}
    ),

    first_days as (
        select distinct cast(started_at as date) as usage_date
        from {{ ref("anomaly_costs") }}
        where series_kind <> 'service_account'
    ),

    stream_costs as (
        select
            pools.usage_date,
            coalesce(pools.{{ anomaly_dimension() }}, 'unmatched') as element,
            share_sets.stream,
            sum(pools.effective_cost * share_sets.weight) as effective_cost
        from {{ ref("cost_pools") }} as pools
        inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
        inner join {{ ref("share_sets") }} as share_sets using (usage_date, share_set_id)
        where share_sets.stream is not null and usage_date in (select usage_date from first_days)
        group by all
    ),

    element_streams as (
        select usage_date, element, first(stream order by effective_cost desc, stream) as stream
        from stream_costs
        group by all
    ),

    element_windows as (
        select windows.*, element_streams.stream
        from windows
        inner join
            element_streams
            on element_streams.element = windows.element
            and element_streams.usage_date = cast(windows.started_at as date)
        where windows.series_kind <> 'unit_cost'
        union all
        select *, element as stream
        from windows
        where series_kind = 'unit_cost'
    ),

    periods as (
        select
            'daily' as granularity,
            stream,
            customer_id,
            filter,
            cast(usage_date as timestamp) as started_at,
            usage_quantity
        from {{ ref("usage_by_day") }}
        union all
        select
            'hourly' as granularity,
            stream,
            customer_id,
            filter,
            usage_period_start as started_at,
            usage_quantity
        from {{ ref("usage_by_period") }}
        where usage_granularity = 'hourly'
    ),

    usage_of_windows as (
        select
            element_windows.anomaly_id,
            element_windows.stream as usage_name,
            element_windows.weeks_before,
            element_windows.series_kind,
            element_windows.element,
            periods.filter,
            periods.usage_quantity
        from element_windows
        inner join
            periods
            on periods.granularity = element_windows.granularity
            and periods.stream = element_windows.stream
            and periods.started_at >= element_windows.window_start
            and periods.started_at < element_windows.window_end
            and (element_windows.customer_id is null or periods.customer_id = element_windows.customer_id)
    ),

    -- Filtered usage counts for the elements its filter names; all of it for what a unit costs.
    usage as (
        select anomaly_id, usage_name, weeks_before, sum(usage_quantity) as usage_quantity
        from usage_of_windows
        where
            filter is null
            or series_kind = 'unit_cost'
            or not json_exists(filter, '$.{{ anomaly_dimension() }}')
            or list_contains(cast(json_extract(filter, '$.{{ anomaly_dimension() }}') as varchar[]), element)
        group by all
    ),

    usage_by_stream as (
        select
            anomaly_id,
            usage_name,
            cast(
                coalesce(sum(usage_quantity) filter (weeks_before = 0), 0) as decimal(38, 9)
            ) as usage_quantity,
            cast(
                coalesce(sum(usage_quantity) filter (weeks_before > 0), 0) as decimal(38, 9)
            ) as reference_usage,
            count(*) filter (weeks_before > 0) as reference_weeks
        from usage
        group by all
    ),

    usage_by_service as (
        select
            windows.anomaly_id,
            coalesce(daily.x_usage_type, 'usage') as usage_name,
            cast(
                coalesce(sum(daily.consumed_quantity) filter (windows.is_anomaly), 0) as decimal(38, 9)
            ) as usage_quantity,
            cast(
                coalesce(sum(daily.consumed_quantity) filter (not windows.is_anomaly), 0) as decimal(38, 9)
            ) as reference_usage,
            count(distinct windows.weeks_before) filter (not windows.is_anomaly) as reference_weeks,
            row_number() over (
                partition by windows.anomaly_id
                order by sum(daily.effective_cost) desc, coalesce(daily.x_usage_type, 'usage')
            ) as cost_rank
        from windows
        inner join
            {{ ref("staged_costs") }} as daily
            on coalesce(daily.service_name, 'no service') = windows.service_name
            and coalesce(daily.sub_account_id, 'no account') = windows.sub_account_id
            and daily.billing_currency = windows.billing_currency
            and daily.usage_date >= windows.window_start
            and daily.usage_date < windows.window_end
        where
            windows.series_kind = 'service_account'
            and windows.granularity = 'daily'
            and daily.charge_category = 'Usage'
        group by windows.anomaly_id, coalesce(daily.x_usage_type, 'usage')
    ),

    summed as (
        select *
        from usage_by_stream
        union all by name
        select * exclude (cost_rank)
        from usage_by_service
        where cost_rank = 1
    ),

    compared as (
        select
            summed.*,
            anomalies.expected_cost,
            -- Ratio to an average week, to nine digits; unknown without previous usage.
            divide(
                cast(usage_quantity * 1000000000 as hugeint) * reference_weeks * 1000000000,
                nullif(cast(reference_usage * 1000000000 as hugeint), 0)
            ) as ratio_units
        from summed
        inner join {{ ref("anomaly_costs") }} as anomalies using (anomaly_id)
    )

select
    * exclude (expected_cost, ratio_units),
    cast(cast(ratio_units as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as usage_ratio,
    -- Cost change due to usage at the expected unit cost.
    {{ money("divide(" ~ money_units("expected_cost") ~ " * (ratio_units - 1000000000), 1000000000)") }}
    as usage_effect
from compared
