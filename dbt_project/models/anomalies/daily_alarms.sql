with scores as (select * from {{ ref("daily_scores", days_before=28) }})

select *
from ({{ alarms("scores", tail_days=28) }})
where usage_date in getvariable('batch_days')
