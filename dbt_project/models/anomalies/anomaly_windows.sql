{{ config(materialized="table") }}
-- What an anomaly is compared with to find what drives it: the same time of up to four weeks before it
-- (of twice as many for one longer than a week).
with
    windows as (
        select
            anomaly_id,
            started_at,
            ended_at,
            unnest(range(5)) as weeks_before,
            7 * {{ whole_quotient("date_diff('hour', started_at, ended_at) + 167", 168) }} as step_days
        from {{ ref("anomaly_costs") }}
    )

select
    anomaly_id,
    weeks_before = 0 as is_anomaly,
    weeks_before,
    started_at - to_days(cast(weeks_before * step_days as integer)) as window_start,
    ended_at - to_days(cast(weeks_before * step_days as integer)) as window_end
from windows
