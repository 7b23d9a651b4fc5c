{# Whether there is an OpenCost export that says who used nodes on the days of this run: without one, nothing is done. #}
{% macro nodes_are_divided() %}
    {%- set allocations = source("landing", "opencost_allocations") -%}
    {%- set changed_days = builtins.ref("changed_days") -%}
    {%- if not execute -%} {{ return(false) }} {%- endif -%}
    {%- set found = (
        "select count(*) from (select 1 from "
        ~ allocations
        ~ " where window_end > (select min(usage_date) from "
        ~ changed_days
        ~ ") and window_start <= (select max(usage_date) + 1 from "
        ~ changed_days
        ~ ") limit 1)"
    ) -%}
    {{ return(run_query(found).columns[0].values()[0] > 0) }}
{% endmacro %}

{# What of a charge is divided among the pods of its node: every cost column, and the quantity. #}
{% macro divided_columns() -%} {{ return(cost_columns() + ["consumed_quantity"]) }} {%- endmacro %}
