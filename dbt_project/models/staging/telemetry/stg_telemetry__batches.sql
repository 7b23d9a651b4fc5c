-- A batch counts once; of the places that hold it, the earliest gives its rank. So the order of
-- operations is a property of the files, whenever they were landed: time of the object, then its name.
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
