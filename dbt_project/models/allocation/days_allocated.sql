{{ config(materialized="view") }}
with
    looked_back as (
        select usage_date, lookback_days
        from {{ ref("share_sets") }}
        union all
        select usage_date, lookback_days
        from {{ ref("split_shares") }}
    )

select
    changed_days.usage_date,
    changed_days.charges_fingerprint,
    changed_days.usage_fingerprint,
    changed_days.signals_fingerprint,
    changed_days.aliases_fingerprint,
    changed_days.rules_fingerprint,
    coalesce(max(looked_back.lookback_days), 0) as lookback_days
from {{ ref("changed_days") }} as changed_days
left join looked_back using (usage_date)
group by all
