{{ config(materialized="view") }}
{%- for records in [source("landing", "telemetry_quarantine"), ref("rejected_usage")] %}
    select
        'telemetry' as source,
        stream,
        batch_location as location,
        batch_row as file_row,
        reason,
        detail,
        record,
        null::boolean as is_whole_file
    from {{ records }}
    union all
{%- endfor %}
{%- for signal in ["inventory", "accounts", "deployments", "opencost", "exchange_rates"] %}
    select
        '{{ signal }}' as source,
        null::varchar as stream,
        location,
        file_row,
        reason,
        detail,
        record,
        is_whole_file
    from {{ source("landing", signal ~ "_rejected") }} {{ "union all" if not loop.last }}
{%- endfor %}
