{{ config(meta={"dagster": {"ref": {"name": "cost_anomaly_drivers"}}}) }}
-- The two effects of an anomaly, and its services (or elements), each sum exactly to its impact.
with
    parts as (
        select anomaly_id, driver_kind, sum(cost_impact) as cost_impact
        from {{ ref("cost_anomaly_drivers") }}
        where driver_kind in ('service', 'element')
        group by all
    )

select anomalies.anomaly_id, parts.driver_kind, anomalies.cost_impact, parts.cost_impact as of_parts
from {{ ref("cost_anomalies") }} as anomalies
left join parts using (anomaly_id)
where
    anomalies.actual_cost - anomalies.expected_cost <> anomalies.cost_impact
    or anomalies.usage_effect + anomalies.rate_effect <> anomalies.cost_impact
    or parts.cost_impact <> anomalies.cost_impact
