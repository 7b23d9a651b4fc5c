{#
  State of incremental builds. A day counts as built only once a snapshot containing it is published (`built.days`),
  so an interrupted run repeats its days. `built.day_files` lists the files of every model kept by day; `file` is
  null for a day without rows. `built.day_plan` and `built.days_made` are of days that other processes compute.
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
    create table if not exists built.day_files (
        model varchar not null,
        period_start date not null,
        file varchar,
        row_count bigint not null,
        made_by varchar not null
    );
    create table if not exists built.day_plan (
        model varchar not null, write_files varchar not null, rows_of_files varchar not null, no_rows varchar not null
    );
    create table if not exists built.days_made (
        model varchar not null, period_start date not null, file varchar, row_count bigint not null
    );
    create table if not exists built.inputs (model varchar not null, input_rows varchar not null);
    create table if not exists built.full_checks (asked_at timestamp not null);
    alter table built.days add column if not exists signals_fingerprint varchar;
    alter table built.days add column if not exists aliases_fingerprint varchar
{% endmacro %}

{# Apply the memory and thread limits from the settings, if any. #}
{% macro set_limits() %}
    {%- if var("duckdb_threads", none) -%} set threads = {{ var("duckdb_threads") | int }}
        ;
    {%- endif -%}
    {%- if var("duckdb_memory_limit", none) -%}
        set memory_limit = {{ dbt.string_literal(var("duckdb_memory_limit")) }}
        ;
    {%- endif -%}
{% endmacro %}

{# Remove the marts in the reporting currency once there is none: what is in `marts` is published. #}
{% macro drop_reported_marts() %}
    {%- if not var("reporting_currency") -%}
        drop view if exists marts.customer_costs_reported;
        drop table if exists marts.customer_margins_reported;
        drop table if exists marts.average_customer_cost_reported;
        drop table if exists marts.exchange_rates_daily
        ;
    {%- endif -%}
{% endmacro %}
