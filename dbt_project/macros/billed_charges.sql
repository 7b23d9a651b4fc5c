{# Query: the charges of all bill formats, before nodes are divided among pods. #}
{% macro billed_charges() %}
    select *
    from {{ ref("stg_aws_cur__charges") }}
    union all by name
    select *
    from {{ ref("stg_focus__charges") }}
{% endmacro %}
