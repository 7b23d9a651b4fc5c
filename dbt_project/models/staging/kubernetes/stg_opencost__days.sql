-- A window counts for every day it touches; a redelivered file differs by its time and totals.
with
    files as (
        select
            parse_filename(location) as file_name,
            modified,
            window_start::date as first_day,
            (window_end - interval 1 microsecond)::date as last_day,
            count(*) as row_count,
            sum(cpu_cost + gpu_cost + ram_cost) as cost
        from {{ source("landing", "opencost_allocations") }}
        group by all
    ),

    days as (
        select
            concat_ws('/', file_name, modified, first_day, last_day, row_count, cost) as content,
            unnest(range(first_day, last_day + interval 1 day, interval 1 day))::date as usage_date
        from files
    )

select usage_date, md5(string_agg(content, chr(10) order by content)) as opencost_fingerprint
from days
group by usage_date
