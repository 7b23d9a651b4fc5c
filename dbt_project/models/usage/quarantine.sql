{{ config(materialized="view") }}
select reason, detail, batch_location, batch_row, record, quarantined_at
from {{ ref("stg_telemetry__quarantine") }}
union all by name
select
    'unknown-stream' as reason,
    'no stream "' || records.stream || '" in contexts/streams.yml' as detail,
    records.batch_location,
    records.batch_row,
    records.stream as record
from {{ ref("stg_telemetry__usage_records") }} as records
where records.stream not in (select stream from {{ ref("telemetry_streams") }})
union all by name
-- Such usage matches no pool: it divides nothing.
select
    'unknown-dimension' as reason,
    'the filter names '
    || array_to_string(unknown_dimensions, ', ')
    || ', which no file in contexts/dimensions defines' as detail,
    batch_location,
    batch_row,
    filter as record
from
    (
        select
            *,
            list_filter(
                json_keys(filter),
                lambda dimension:dimension not in ('{{ dimension_names() | join("', '") }}')
            ) as unknown_dimensions
        from {{ ref("stg_telemetry__usage_records") }}
        where filter is not null
    )
where len(unknown_dimensions) > 0
