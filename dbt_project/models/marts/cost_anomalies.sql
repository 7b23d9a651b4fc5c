with
    anomalies as (
        select
            costs.*,
            causes.same_cause_as,
            usage.usage_name,
            usage.usage_ratio,
            {{ usage_effect("costs.expected_cost", "usage.usage_ratio") }} as usage_effect,
            case
                when costs.customer_id = 'unallocated' then 'nobody' else customers.customer_name
            end as customer_name,
            usage.usage_quantity
        from {{ ref("anomaly_costs") }} as costs
        inner join {{ ref("anomaly_causes") }} as causes using (anomaly_id)
        left join {{ ref("anomaly_usage") }} as usage using (anomaly_id)
        left join {{ ref("customers") }} as customers on customers.customer_id = costs.customer_id
    ),

    carriers as (
        select
            anomaly_id,
            string_agg(
                driver || ' (' || {{ amount("cost_impact") }} || ')',
                ', '
                order by abs(cost_impact) desc, driver
            ) as carried_by
        from
            (
                select drivers.*
                from {{ ref("cost_anomaly_drivers") }} as drivers
                inner join anomalies using (anomaly_id)
                where
                    drivers.driver_kind in ('service', 'element')
                    and drivers.cost_impact * anomalies.direction > 0
                qualify
                    row_number() over (
                        partition by drivers.anomaly_id order by abs(drivers.cost_impact) desc, drivers.driver
                    )
                    <= 2
            )
        group by anomaly_id
    ),

    deployments as (
        select
            drivers.anomaly_id,
            first(drivers.driver order by drivers.happened_at desc, drivers.driver) as driver,
            max(drivers.happened_at) as happened_at
        from {{ ref("cost_anomaly_drivers") }} as drivers
        inner join anomalies using (anomaly_id)
        where drivers.driver_kind = 'deployment'
        group by drivers.anomaly_id
    ),

    sentences as (
        select
            anomalies.*,
            case
                anomalies.series_kind
                when 'customer_feature'
                then
                    anomalies.element
                    || ' for '
                    || anomalies.customer_name
                    || case
                        when anomalies.customer_name in (anomalies.customer_id, 'nobody')
                        then ''
                        else ' (' || anomalies.customer_id || ')'
                    end
                when 'feature'
                then anomalies.element || ' for all customers'
                else anomalies.service_name || ' in account ' || anomalies.sub_account_id
            end as subject,
            case
                when anomalies.is_ongoing
                then ' since ' || {{ moment("anomalies.started_at", "anomalies.granularity") }}
                when
                    anomalies.granularity = 'daily'
                    and anomalies.ended_at - anomalies.started_at = interval 1 day
                then ' on ' || {{ moment("anomalies.started_at", "anomalies.granularity") }}
                else
                    ' from '
                    || {{ moment("anomalies.started_at", "anomalies.granularity") }}
                    || ' to '
                    ||
                    {{
                        moment(
                            "case when anomalies.granularity = 'daily' then anomalies.ended_at - interval 1 day else anomalies.ended_at end",
                            "anomalies.granularity",
                        )
                    }}
            end as time_span,
            anomalies.cost_impact - anomalies.usage_effect as rate_effect,
            carriers.carried_by,
            deployments.driver as deployed,
            deployments.happened_at as deployed_at,
            date_diff('minute', deployments.happened_at, anomalies.started_at) as minutes_before
        from anomalies
        left join carriers using (anomaly_id)
        left join deployments using (anomaly_id)
    )

select
    anomaly_id,
    cast(
        row_number() over (order by same_cause_as is not null, abs(cost_impact) desc, anomaly_id) as integer
    ) as impact_rank,
    series_kind,
    granularity,
    case
        when test = 'drift'
        then 'drift'
        when ended_at - started_at >= interval 3 days
        then 'shift'
        else 'spike'
    end as anomaly_kind,
    customer_id,
    case when customer_id <> 'unallocated' then customer_name end as customer_name,
    element,
    '{{ anomaly_dimension() }}' as dimension,
    service_name,
    sub_account_id,
    billing_currency,
    started_at,
    ended_at,
    is_ongoing,
    expected_cost,
    actual_cost,
    cost_impact,
    usage_name,
    usage_quantity,
    usage_ratio,
    usage_effect,
    cast(rate_effect as decimal(38, 12)) as rate_effect,
    cast(least(score, 1000000000) as decimal(18, 6)) as score,
    same_cause_as,
    concat(
        subject,
        ' cost ',
        {{ amount("abs(cost_impact)") }},
        ' ',
        billing_currency,
        case when cost_impact > 0 then ' more' else ' less' end,
        ' than expected',
        time_span,
        ' (',
        {{ amount("actual_cost") }},
        ' instead of ',
        {{ amount("expected_cost") }},
        ')',
        case
            when usage_ratio is null
            then ''
            else
                ': usage ×'
                || {{ factor("usage_ratio") }}
                || ' explains '
                || {{ amount("usage_effect") }}
                || ', the rate '
                || {{ amount("rate_effect") }}
        end,
        coalesce('; carried by ' || carried_by, ''),
        case
            when deployed is null
            then ''
            when granularity = 'daily'
            then '; ' || deployed || ' was deployed on ' || strftime(deployed_at, '%Y-%m-%d %H:%M')
            when minutes_before < 0
            then '; ' || deployed || ' was deployed ' || - minutes_before || ' minutes after it began'
            when minutes_before < 120
            then '; ' || deployed || ' was deployed ' || minutes_before || ' minutes before'
            else
                '; '
                || deployed
                || ' was deployed '
                || {{ whole_quotient("minutes_before", 60) }}
                || ' hours before'
        end,
        '.'
    ) as explanation
from sentences
