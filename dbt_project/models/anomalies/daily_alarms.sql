with
    daily_scores as (select * from {{ ref("daily_scores", days_before=28) }}),

    scores as (
        select
            'daily' as test,
            series_key,
            usage_date,
            cast(usage_date as timestamp) as started_at,
            cast(previous_date as timestamp) as previous_at,
            level,
            score
        from daily_scores
        where score is not null
        union all by name
        select
            'drift' as test,
            series_key,
            usage_date,
            cast(usage_date as timestamp) as started_at,
            cast(previous_date as timestamp) as previous_at,
            level,
            drift_score as score
        from daily_scores
        where drift_score is not null
    )

    {{ alarms("scores", tail_days=28) }}

select *
from alarms
where usage_date in {{ days_of_batch() }}
