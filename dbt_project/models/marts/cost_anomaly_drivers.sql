with
    anomalies as (select * from {{ ref("anomaly_costs") }}),

    customer_windows as (
        select * exclude (windows), unnest(windows, recursive := true)
        from anomalies
        where series_kind = 'customer_feature'
    ),

    -- A customer's cost by service comes from the marts, a resource's cost from the charges.
    customer_services as (
        select windows.anomaly_id, costs.service_name, costs.effective_cost, windows.is_anomaly
        from customer_windows as windows
        inner join
            {{ ref("customer_costs_daily") }} as costs
            on costs.customer_id = windows.customer_id
            and coalesce(costs.{{ anomaly_dimension() }}, 'unmatched') = windows.element
            and costs.billing_currency = windows.billing_currency
            and costs.usage_date >= windows.window_start
            and costs.usage_date < windows.window_end
        where windows.granularity = 'daily'
        union all
        select windows.anomaly_id, costs.service_name, costs.effective_cost, windows.is_anomaly
        from customer_windows as windows
        inner join
            {{ ref("customer_costs_hourly") }} as costs
            on costs.customer_id = windows.customer_id
            and coalesce(costs.{{ anomaly_dimension() }}, 'unmatched') = windows.element
            and costs.billing_currency = windows.billing_currency
            and costs.usage_hour >= windows.window_start
            and costs.usage_hour < windows.window_end
        where windows.granularity = 'hourly'
    ),

    parts as (
        select
            anomaly_id,
            'service' as driver_kind,
            coalesce(service_name, 'no service') as driver,
            cast(coalesce(sum(effective_cost) filter (is_anomaly), 0) as decimal(38, 12)) as actual_cost,
            cast(
                coalesce(sum(effective_cost) filter (not is_anomaly), 0) as decimal(38, 12)
            ) as reference_cost
        from customer_services
        group by all
        union all
        select
            charges.anomaly_id,
            charges.part_kind as driver_kind,
            charges.part as driver,
            charges.actual_cost,
            charges.reference_cost
        from {{ ref("anomaly_charges") }} as charges
        inner join anomalies using (anomaly_id)
        where
            (anomalies.series_kind = 'feature' and charges.part_kind = 'service')
            or (anomalies.series_kind = 'service_account' and charges.part_kind = 'element')
    ),

    -- Parts sum exactly to the anomaly's impact: the expected cost is divided as in previous weeks, and the
    -- largest part gets the remainder.
    expected_parts as (
        select
            parts.*,
            anomalies.expected_cost,
            anomalies.actual_cost as whole_cost,
            coalesce(
                {{
                    money_times_ratio(
                        "anomalies.expected_cost",
                        "parts.reference_cost",
                        "sum(parts.reference_cost) over whole",
                    )
                }},
                0
            ) as expected_part,
            row_number() over (
                partition by parts.anomaly_id, parts.driver_kind
                order by abs(parts.actual_cost) desc, parts.driver
            )
            = 1 as is_remainder_recipient
        from parts
        inner join anomalies using (anomaly_id)
        window whole as (partition by parts.anomaly_id, parts.driver_kind)
    ),

    part_drivers as (
        select
            anomaly_id,
            driver_kind,
            driver,
            cast(
                actual_cost
                - expected_part
                + case
                    when is_remainder_recipient
                    then
                        (whole_cost - sum(actual_cost) over whole)
                        - (expected_cost - sum(expected_part) over whole)
                    else 0
                end as decimal(38, 12)
            ) as cost_impact,
            'cost ' || cast(actual_cost as decimal(38, 2)) as detail
        from expected_parts
        window whole as (partition by anomaly_id, driver_kind)
    ),

    resources as (
        select
            anomaly_id,
            part as resource_id,
            first(of_service order by actual_cost desc, of_service) as of_service,
            cast(sum(actual_cost) as decimal(38, 12)) as actual_cost,
            cast(sum(reference_cost) as decimal(38, 12)) as reference_cost
        from {{ ref("anomaly_charges") }}
        where part_kind = 'resource'
        group by all
    ),

    -- For a customer, resources by their part of the element's cost; else by their increase from previous
    -- weeks.
    resource_drivers as (
        select
            anomalies.anomaly_id,
            'resource' as driver_kind,
            resources.resource_id as driver,
            cast(
                case
                    when anomalies.series_kind = 'customer_feature'
                    then
                        {{
                            money_times_ratio(
                                "anomalies.cost_impact",
                                "resources.actual_cost",
                                "sum(resources.actual_cost) over (partition by anomalies.anomaly_id)",
                            )
                        }}
                    else
                        resources.actual_cost
                        - {{ money_divided_by("resources.reference_cost", "len(anomalies.windows) - 1") }}
                end as decimal(38, 12)
            ) as cost_impact,
            resources.of_service
            || ', cost '
            || cast(resources.actual_cost as decimal(38, 2))
            || case
                when anomalies.series_kind = 'customer_feature' then ' for all customers' else ''
            end as detail
        from resources
        inner join anomalies using (anomaly_id)
        where resources.resource_id <> 'no resource'
    ),

    costliest_resources as (
        select *
        from resource_drivers
        where cost_impact <> 0
        qualify
            row_number() over (partition by anomaly_id order by abs(cost_impact) desc, driver, detail) <= 10
    ),

    usage_drivers as (
        select
            anomalies.anomaly_id,
            'usage' as driver_kind,
            usage.usage_name as driver,
            coalesce(usage.usage_effect, 0) as cost_impact,
            case
                when usage.usage_ratio is null
                then 'not used in the weeks before'
                else printf('×%.1f against the weeks before', cast(usage.usage_ratio as double))
            end as detail
        from {{ ref("anomaly_usage") }} as usage
        inner join anomalies using (anomaly_id)
    ),

    -- The customer's other streams, compared with previous weeks.
    customer_usage as (
        select
            windows.anomaly_id,
            daily.stream,
            coalesce(sum(daily.usage_quantity) filter (windows.is_anomaly), 0) as usage_quantity,
            coalesce(sum(daily.usage_quantity) filter (not windows.is_anomaly), 0) as reference_usage,
            count(distinct windows.window_start) filter (not windows.is_anomaly) as reference_weeks
        from customer_windows as windows
        inner join
            {{ ref("usage_by_day") }} as daily
            on daily.customer_id = windows.customer_id
            and daily.usage_date >= cast(windows.window_start as date)
            and daily.usage_date < windows.window_end
        group by all
    ),

    profile_drivers as (
        select
            customer_usage.anomaly_id,
            'profile' as driver_kind,
            customer_usage.stream as driver,
            cast(null as decimal(38, 12)) as cost_impact,
            case
                when customer_usage.reference_usage = 0
                then 'new: not used in the weeks before'
                else
                    printf(
                        '×%.1f on these days, against the weeks before',
                        cast(customer_usage.usage_quantity as double)
                        * customer_usage.reference_weeks
                        / cast(customer_usage.reference_usage as double)
                    )
            end as detail
        from customer_usage
    ),

    deployment_drivers as (
        select
            anomalies.anomaly_id,
            'deployment' as driver_kind,
            concat_ws(' ', deployments.service, deployments.version) as driver,
            cast(null as decimal(38, 12)) as cost_impact,
            concat_ws(', ', deployments.environment, deployments.link) as detail,
            deployments.deployed_at as happened_at
        from anomalies
        inner join
            {{ ref("deployments") }} as deployments
            on deployments.deployed_at >= anomalies.started_at - interval 24 hours
            and deployments.deployed_at
            < anomalies.started_at
            + case when anomalies.granularity = 'hourly' then interval 1 hour else interval 1 day end
        qualify
            row_number() over (
                partition by anomalies.anomaly_id
                order by
                    abs(epoch(deployments.deployed_at) - epoch(anomalies.started_at)),
                    deployments.service,
                    deployments.version
            )
            <= 3
    )

select anomaly_id, driver_kind, driver, cost_impact, detail, cast(null as timestamp) as happened_at
from part_drivers
where cost_impact <> 0
union all
select anomaly_id, driver_kind, driver, cost_impact, detail, null
from costliest_resources
union all
select anomaly_id, driver_kind, driver, cost_impact, detail, null
from usage_drivers
union all
select anomaly_id, driver_kind, driver, cost_impact, detail, null
from profile_drivers
union all
select anomaly_id, driver_kind, driver, cost_impact, detail, happened_at
from deployment_drivers
