{#
  In a model kept by day, every input with days is restricted to the days of the current batch, here rather than in
  the models. The days are a connection variable (set by `by_day` for each batch), so compiled SQL does not depend on
  the warehouse; DuckDB substitutes it before planning and reads only the files of those days. By hand: set variable
  batch_days = [date '2026-07-01']; `days_before` adds that many previous days, for models that look back. Tests look
  at the run's days or at all days, as listed in `built.checked_days`.
#}
{% macro ref() %}
    {%- set days_before = kwargs.pop("days_before", 0) -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- if model.config.materialized == "by_day" -%}
        {%- set needed_first = builtins.ref("changed_days") -%}
    {%- endif -%}
    {%- if execute -%}
        {%- set node = (graph.nodes or {}).get("model." ~ project_name ~ "." ~ varargs[-1], {}) -%}
        {{ return(of_the_days(relation, node, days_before)) }}
    {%- endif -%}
    {{ return(relation) }}
{% endmacro %}

{% macro source() %}
    {%- set relation = builtins.source(*varargs) -%}
    {%- if model.config.materialized == "by_day" -%}
        {%- set needed_first = builtins.ref("changed_days") -%}
    {%- endif -%}
    {%- if execute -%}
        {%- set node = (graph.sources or {}).get(
            "source." ~ project_name ~ "." ~ varargs | join("."), {}
        ) -%}
        {{ return(of_the_days(relation, node, 0)) }}
    {%- endif -%}
    {{ return(relation) }}
{% endmacro %}

{# A relation with days is kept by day, or declares it (`meta: {has_days: true}`), as views do. #}
{% macro of_the_days(relation, node, days_before) -%}
    {%- set is_kept_by_day = (
        node and node.config.materialized == "by_day" and node.config.get("period") != "month"
    ) -%}
    {%- if not node or not (is_kept_by_day or node.config.get("meta", {}).get("has_days", false)) -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set day = node.config.get("meta", {}).get("day", "usage_date") -%}
    {%- if model.config.materialized == "by_day" and days_before -%}
        {%- set days -%}
            {{ day }} between list_min(getvariable('batch_days')) - {{ days_before }}
            and list_max(getvariable('batch_days'))
        {%- endset -%}
    {%- elif model.config.materialized == "by_day" -%}
        {%- set days = day ~ " in getvariable('batch_days')" -%}
    {%- elif model.resource_type == "test" and days_before -%}
        {%- set days = day ~ " >= (select min(usage_date) from built.checked_days) - " ~ days_before -%}
    {%- elif model.resource_type == "test" -%}
        {%- set days = day ~ " in (select usage_date from built.checked_days)" -%}
    {%- else -%} {{ return(relation) }}
    {%- endif -%}
    {{ return("(select * from " ~ relation ~ " where " ~ days ~ ")") }}
{%- endmacro %}
