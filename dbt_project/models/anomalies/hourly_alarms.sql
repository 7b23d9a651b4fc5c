with
    scores as (
        select
            'hourly' as test,
            series_key,
            usage_date,
            usage_hour as started_at,
            previous_hour as previous_at,
            level,
            score
        from {{ ref("hourly_scores") }}
        where score is not null
    )

    {{ alarms("scores", tail_days=14) }}

select *
from alarms
