{#
  What is kept by the hour is kept for the newest days only, as many as the setting `hourly_costs_days` says: those
  until the last day with any cost. A run makes the changed days among them, and any that the table does not have
  (the window moves back when the last days vanish from the bill).
#}
{% macro in_hourly_window(column="usage_date") -%}
    {{ in_window(var("hourly_costs_days"), column) }}
{%- endmacro %}

{# Condition: the row belongs to one of that many days until the last with any cost. #}
{% macro in_window(day_count, column="usage_date") -%}
    {{ column }} > (select max(usage_date) from {{ ref("cost_pools") }}) - {{ day_count | int }}
{%- endmacro %}

{# Pre-hook: takes out the days that the run is about to insert, and those that have left the window. #}
{% macro delete_hourly_days() %}
    {%- set changed_days = ref("changed_days") -%}
    {%- set cost_pools = ref("cost_pools") -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where usage_date in (select usage_date from {{ changed_days }}) or not ({{ in_hourly_window() }})
    {%- endif -%}
{% endmacro %}

{# The days that this run makes by the hour, as text. #}
{% macro hourly_days() -%}
    {%- set changed_days = ref("changed_days") -%}
    {%- set cost_pools = ref("cost_pools") -%}
    {%- if not (execute and var("hourly_costs_days") | int) -%} {{ return([]) }} {%- endif -%}
    {%- set made -%}
        select distinct usage_date from {{ cost_pools }}
        where {{ in_hourly_window() }}
        {% if is_incremental() -%}
            and (
                usage_date in (select usage_date from {{ changed_days }})
                or usage_date not in (select usage_date from {{ this }})
            )
        {%- endif %}
        order by usage_date
    {%- endset -%}
    {{ return(run_query(made).columns[0].values() | list) }}
{%- endmacro %}

{# Condition: the row belongs to one of the days. #}
{% macro is_one_of_days(days, column="usage_date") -%}
    {%- if days -%} {{ column }} in (date '{{ days | join("', date '") }}') {%- else -%} false {%- endif -%}
{%- endmacro %}
