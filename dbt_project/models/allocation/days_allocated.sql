{{ config(materialized="view") }}
select
    changed_days.usage_date,
    changed_days.charges_fingerprint,
    changed_days.usage_fingerprint,
    changed_days.signals_fingerprint,
    changed_days.aliases_fingerprint,
    changed_days.rules_fingerprint,
    coalesce(max(pool_usage.lookback_days), 0) as lookback_days
from {{ ref("changed_days") }} as changed_days
left join {{ ref("pool_usage") }} as pool_usage using (usage_date)
group by all
