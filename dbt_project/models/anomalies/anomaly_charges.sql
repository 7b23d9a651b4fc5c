{{ config(materialized="table") }}
-- Services, resources and elements of the charges behind an anomaly, and in previous weeks. Only for the
-- costliest anomalies: long lists are not read.
with
    explained as (
        select *
        from {{ ref("anomaly_costs") }}
        qualify
            row_number() over (order by abs(cost_impact) desc, anomaly_id)
            <= {{ var("anomalies_explained") | int }}
    ),

    windows as (select * exclude (windows), unnest(windows, recursive := true) from explained),

    window_days as (
        select distinct
            cast(
                unnest(range(date_trunc('day', window_start), window_end, interval 1 day)) as date
            ) as usage_date
        from windows
    ),

    charges as (
        select
            charges.usage_date,
            cast(date_trunc('hour', charges.charge_period_start) as timestamp) as usage_hour,
            charges.charge_period_end <= charges.charge_period_start + interval 1 hour as is_hourly,
            coalesce(charges.{{ anomaly_dimension() }}, 'unmatched') as element,
            coalesce(charges.service_name, 'no service') as service_name,
            coalesce(charges.sub_account_id, 'no account') as sub_account_id,
            charges.resource_id,
            charges.billing_currency,
            sum(charges.effective_cost) as effective_cost
        from {{ ref("charges_in_context") }} as charges
        where charges.usage_date in (select usage_date from window_days)
        group by all
    ),

    window_charges as (
        select
            windows.anomaly_id,
            windows.series_kind,
            windows.is_anomaly,
            windows.weeks_before,
            charges.element,
            charges.service_name,
            charges.resource_id,
            charges.effective_cost
        from windows
        inner join
            charges
            on charges.billing_currency = windows.billing_currency
            and (
                (windows.series_kind like '%feature' and charges.element = windows.element)
                or (
                    charges.service_name = windows.service_name
                    and charges.sub_account_id = windows.sub_account_id
                )
            )
            and (
                (
                    windows.granularity = 'daily'
                    and charges.usage_date >= windows.window_start
                    and charges.usage_date < windows.window_end
                )
                or (
                    windows.granularity = 'hourly'
                    and charges.is_hourly
                    and charges.usage_hour >= windows.window_start
                    and charges.usage_hour < windows.window_end
                )
            )
    ),

    parts as (
        select
            anomaly_id,
            is_anomaly,
            weeks_before,
            unnest(
                [
                    {'part_kind':'service', 'part':service_name, 'of_service':service_name},
                    {'part_kind':'element', 'part':element, 'of_service':null},
                    {'part_kind':'resource', 'part':resource_id, 'of_service':service_name}
                ],
                recursive := true
            ),
            effective_cost
        from window_charges
    )

select
    anomaly_id,
    part_kind,
    coalesce(part, 'no ' || part_kind) as part,
    of_service,
    cast(coalesce(sum(effective_cost) filter (is_anomaly), 0) as decimal(38, 12)) as actual_cost,
    cast(coalesce(sum(effective_cost) filter (not is_anomaly), 0) as decimal(38, 12)) as reference_cost,
    count(distinct weeks_before) filter (not is_anomaly) as reference_weeks
from parts
group by all
