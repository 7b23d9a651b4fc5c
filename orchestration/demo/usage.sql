-- What every customer used of every stream. Given: the tables hours, customers and streams, the macros of
-- calendar.sql, and the variables incident_customer, incident_stream and incident_usage_factor.
create or replace table usage as
with
    moments as (
        select 'hourly' as granularity, hour as moment, in_incident from hours
        union all
        select 'daily', hour, false from hours where hour = hour::date
    ),
    users as (
        select *
        from customers, streams
        where hash(getvariable('seed'), customer_id, stream) % 100 < adoption
    ),
    amounts as (
        select
            users.*,
            moment,
            (
                (
                    rate
                    * weight
                    * activity(moment + if(granularity = 'hourly', to_hours(hour_offset), interval 12 hour))
                )::decimal(20, 6)
                * swing(customer_id || stream || moment)
            )::decimal(24, 6)
            * if(
                in_incident
                and customer_id = getvariable('incident_customer')
                and stream = getvariable('incident_stream'),
                getvariable('incident_usage_factor'),
                1
            ) as amount
        from users
        join moments using (granularity)
        where moment::date between first_day and last_day
    ),
    values_to_count as (
        -- Each branch is cast by itself: a common type of the two would have fewer decimals than either needs.
        select
            *,
            if(decimals = 0, amount::decimal(24, 0)::decimal(24, 6), amount::decimal(24, 6)) as value
        from amounts
    )
select
    stream,
    granularity,
    moment,
    customer_id,
    value,
    if(decimals = 0, value::decimal(24, 0)::varchar, value::varchar) as value_text
from values_to_count
where value > 0
order by moment, stream, customer_id;
