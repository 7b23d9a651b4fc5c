-- A window is of every day that it touches; a file that is delivered anew is another one by its time.
with
    files as (
        select distinct
            location,
            modified,
            window_start::date as first_day,
            (window_end - interval 1 microsecond)::date as last_day
        from {{ source("landing", "opencost_allocations") }}
    ),

    days as (
        select
            location,
            modified,
            unnest(range(first_day, last_day + interval 1 day, interval 1 day))::date as usage_date
        from files
    )

select
    usage_date,
    md5(
        string_agg(distinct location || '/' || modified, chr(10) order by location || '/' || modified)
    ) as opencost_fingerprint
from days
group by usage_date
