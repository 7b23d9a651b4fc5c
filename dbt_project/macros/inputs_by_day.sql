{#
  In a model that is kept by day, everything it reads that has days is cut down to the days of the batch that is being
  made, here and not in the models. The days are a variable of the connection (`by_day` sets it for each batch), so
  that the compiled SQL is the same whatever the warehouse holds; DuckDB puts its value in before it plans the query,
  and reads the files of those days only. By hand: set variable batch_days = [date '2026-07-01'];

  `days_before` asks for that many more days, for what looks back from a day.

  A test looks at the days that the run made, or at all days: `built.checked_days` says which.
#}
{% macro ref() %}
    {%- set days_before = kwargs.pop("days_before", 0) -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- if model.config.materialized == "by_day" -%}
        {%- set needed_first = builtins.ref("changed_days") -%}
    {%- endif -%}
    {%- if execute -%}
        {%- set node = graph.nodes.get("model." ~ project_name ~ "." ~ varargs[-1], {}) -%}
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
        {%- set node = graph.sources.get("source." ~ project_name ~ "." ~ varargs | join("."), {}) -%}
        {{ return(of_the_days(relation, node, 0)) }}
    {%- endif -%}
    {{ return(relation) }}
{% endmacro %}

{# Has days of its own: it is kept by day, or says so itself (`meta: {has_days: true}`), as views do. #}
{% macro has_days(node) -%}
    {%- set is_kept_by_month = node.config.get("period") == "month" -%}
    {{
        return(
            (node.config.materialized == "by_day" and not is_kept_by_month)
            or node.config.get("meta", {}).get("has_days", false)
        )
    }}
{%- endmacro %}

{% macro of_the_days(relation, node, days_before) -%}
    {%- if not node or not has_days(node) -%} {{ return(relation) }} {%- endif -%}
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

{# The days that a model kept by day makes now, for a condition: usage_date in {{ days_of_batch() }}. #}
{% macro days_of_batch() -%} getvariable('batch_days') {%- endmacro %}
