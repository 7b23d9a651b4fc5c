{{ config(materialized="view") }}
select
    'telemetry' as source,
    stream,
    batch_location as location,
    batch_row as file_row,
    reason,
    detail,
    record,
    null::boolean as is_whole_file
from {{ source("landing", "telemetry_quarantine") }}
union all
select
    'telemetry' as source,
    stream,
    batch_location as location,
    batch_row as file_row,
    reason,
    detail,
    record,
    null::boolean as is_whole_file
from {{ ref("rejected_usage") }}
{%- for signal in ["inventory", "accounts", "deployments", "opencost"] %}
    union all
    select
        '{{ signal }}' as source,
        null::varchar as stream,
        location,
        file_row,
        reason,
        detail,
        record,
        is_whole_file
    from {{ source("landing", signal ~ "_rejected") }}
{%- endfor %}
