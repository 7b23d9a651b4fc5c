-- A batch counts once, ranked by the earliest place that has it: by object time, then name. So the order of
-- operations depends on the files alone, not on when they landed.
with
    places as (
        select
            *,
            min(object_time) over (partition by batch_id) as batch_time,
            first_value(batch_location) over (
                partition by batch_id order by object_time, batch_location
            ) as batch_name
        from {{ source("landing", "telemetry_batches") }}
        where status in ('loaded', 'repeated')
    )

select
    load_id,
    batch_id,
    batch_location,
    record_count,
    quarantined_count,
    usage_dates,
    row_number() over (order by batch_time, batch_name, batch_id) as batch_rank
from places
where status = 'loaded'
