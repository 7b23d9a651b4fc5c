{# The day of the run (UTC). #}
{% macro run_day() -%}
    cast('{{ var("run_day", run_started_at.strftime("%Y-%m-%d")) }}' as date)
{%- endmacro %}
