-- The hours of the sample and how busy each is. Given: the variables seed, first_hour, last_hour, incident_start
-- and incident_end.

-- How busy the product is at each hour of the day and on each day of the week, 1 being an average hour.
create or replace macro activity(moment) as (
    [38, 34, 32, 31, 33, 38, 47, 58, 72, 88, 100, 108, 112, 115, 120, 124, 122, 116, 105, 92, 78, 64, 53, 44]
        [hour(moment) + 1] * if(isodow(moment) >= 6, 55, 100) * 0.0001::decimal(5, 4)
)::decimal(6, 4);

-- Chance: always the same number for the same seed and key, from 0.92 to 1.08 and from 0.5 to 1.5.
create or replace macro noise(key) as
    (0.92 + (hash(getvariable('seed'), key) % 16001) * 0.00001::decimal(6, 5))::decimal(6, 5);
create or replace macro swing(key) as
    (0.5 + (hash(getvariable('seed'), key) % 100001) * 0.00001::decimal(6, 5))::decimal(6, 5);

create or replace table hours as
with
    times as (
        select unnest(generate_series(getvariable('first_hour'), getvariable('last_hour'), interval 1 hour)) as hour
    )
select
    hour,
    date_trunc('month', hour)::timestamp as month,
    (date_trunc('month', hour) + interval 1 month)::timestamp as next_month,
    (hour::date - getvariable('first_hour')::date)::integer as day_number,
    activity(hour) as activity,
    isodow(hour) < 6 and hour(hour) between 7 and 18 as in_office_hours,
    hour(hour) between 1 and 8 as in_night_hours,
    hour >= getvariable('incident_start') and hour < getvariable('incident_end') as in_incident
from times;
