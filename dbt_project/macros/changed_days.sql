{#
  Only what changed: models with one row set per day delete and insert the days in `changed_days`, in one
  transaction. A day counts as built only once a snapshot that holds it has been published (`built.days`), so a run
  that stops half-way is done again for the same days.
#}
{% macro create_built_days() %}
    create schema if not exists built;
    create table if not exists built.days (
        usage_date date primary key,
        charges_fingerprint varchar,
        usage_fingerprint varchar,
        aliases_fingerprint varchar,
        rules_fingerprint varchar not null,
        lookback_days integer not null,
        built_at timestamp not null
    );
    alter table built.days add column if not exists signals_fingerprint varchar;
    alter table built.days add column if not exists aliases_fingerprint varchar
{% endmacro %}

{#
  dbt's own question, answered for the changed days too: when no day is published (the first run, or a change of the
  rules, which changes every day), incremental models are made anew as whole tables, in their new shape.
#}
{% macro should_full_refresh() %}
    {%- if flags.FULL_REFRESH -%} {{ return(true) }} {%- endif -%}
    {%- if not execute -%} {{ return(false) }} {%- endif -%}
    {%- set published_days = (
        "select count(*) from "
        ~ source("built", "days")
        ~ " where rules_fingerprint <> 'not published'"
    ) -%}
    {{ return(run_query(published_days).columns[0].values()[0] == 0) }}
{% endmacro %}

{# Keep to the memory and cores that the settings give to DuckDB, if they do. #}
{% macro set_limits() %}
    {%- if var("duckdb_threads", none) -%} set threads = {{ var("duckdb_threads") | int }}
        ;
    {%- endif -%}
    {%- if var("duckdb_memory_limit", none) -%}
        set memory_limit = {{ dbt.string_literal(var("duckdb_memory_limit")) }}
        ;
    {%- endif -%}
{% endmacro %}

{# Pre-hook of an incremental model: takes out the days that the run is about to insert. #}
{% macro delete_changed_days(column="usage_date") %}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ column }} in (select usage_date from {{ ref("changed_days") }})
    {%- endif -%}
{% endmacro %}

{#
  Condition: the row belongs to a day that this run computes. A few days are given as literals, so that DuckDB skips
  the parts of files and tables that hold other days; many are looked up.
#}
{% macro in_changed_days(column="usage_date") -%}
    {%- set changed_days = ref("changed_days") -%}
    {%- if not (execute and is_incremental()) -%} true
    {%- else -%}
        {%- set days = (
            run_query("select usage_date from " ~ changed_days ~ " order by usage_date limit 63")
            .columns[0]
            .values()
        ) -%}
        {%- if days | length == 0 -%} false
        {%- elif days | length > 62 -%} {{ column }} in (select usage_date from {{ changed_days }})
        {%- else -%} {{ column }} in (date '{{ days | join("', date '") }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# The same for models whose rows are months: every month that has a changed day. #}
{% macro delete_changed_months(column="usage_month") %}
    {%- if is_incremental() -%} delete from {{ this }} where {{ in_changed_months(column) }} {%- endif -%}
{% endmacro %}

{% macro in_changed_months(column="usage_month") -%}
    {%- set changed_days = ref("changed_days") -%}
    {%- if is_incremental() -%}
        {{ column }} in (select date_trunc('month', usage_date)::date from {{ changed_days }})
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}

{#
  Condition on landed charges: the file may hold changed days. Given as literals, so that whole files are left unread.
#}
{% macro in_changed_deliveries(family) -%}
    {%- set changed_days = ref("changed_days") -%}
    {%- set billing_days = source("landing", "billing_days") -%}
    {%- if execute and (is_incremental() or config.get("materialized") == "table") -%}
        {%- set deliveries = (
            run_query(
                "select distinct delivery from "
                ~ billing_days
                ~ " where family = '"
                ~ family
                ~ "' and usage_date in (select usage_date from "
                ~ changed_days
                ~ ") order by delivery"
            )
            .columns[0]
            .values()
        ) -%}
        {%- set literals = ["'none'"] -%}
        {%- for delivery in deliveries -%}
            {%- do literals.append(dbt.string_literal(dbt.escape_single_quotes(delivery))) -%}
        {%- endfor -%}
        delivery in ({{ literals | join(", ") }})
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}
