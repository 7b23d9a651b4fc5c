{#
  Materialization of models kept by day: each day is its own immutable Parquet file, and the model is a view over the
  current files. A run builds the days in `changed_days` in batches, so memory is bounded by a batch, then swaps the
  view, replacing whole days. Files of a killed run are in no view. Set it for a folder with `+materialized: by_day`
  in dbt_project.yml. `period: month` keeps files by month (`usage_month`) and builds months with a changed day, one
  at a time. `days_after` also rebuilds that many days after each changed day, for models that look back. `days_kept`
  keeps only that many latest days with costs. `made_again_after` names a table without days (`marts.customers`): if
  its rows change, every period is rebuilt.
#}
{% materialization by_day, adapter = "duckdb" %}
    {%- set target = this.incorporate(type="view") -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set model_sql = compiled_code -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- do run_query("set variable batch_days = []::date[]") -%}
    {%- if config.get("contract").enforced -%}
        {{ get_assert_columns_equivalent(model_sql) }} {%- set model_sql = get_select_subquery(model_sql) -%}
        {%- set columns = [] -%}
        {%- for column in model.columns.values() -%}
            {%- do columns.append([column.name, column.data_type | upper]) -%}
        {%- endfor -%}
    {%- else -%}
        {%- set columns = run_query(
            "select column_name, column_type from (describe " ~ model_sql ~ ")"
        ).rows -%}
    {%- endif -%}
    {%- set key = "usage_month" if config.get("period") == "month" else "usage_date" -%}
    {%- set run = invocation_id | replace("-", "") -%}

    {%- set input, is_input_changed = config.get("made_again_after", none), false -%}
    {%- if input -%}
        {%- set all_rows = (
            "select concat(count(*), '-', sum(hash(found)::hugeint)) from " ~ input ~ " as found"
        ) -%}
        {%- set input_rows = run_query(all_rows).columns[0].values()[0] -%}
        {%- set known = "select input_rows from built.inputs where model= '" ~ name_of(this) ~ "'" -%}
        {%- set is_input_changed = [input_rows] != run_query(known).columns[0].values() | list -%}
    {%- endif -%}

    {%- set periods = [] -%}
    {%- for batch in run_query(batches_of_days(this, is_input_changed)).rows -%}
        {%- do periods.append(batch["periods"]) -%}
        {%- do run_query("set variable batch_days = [" ~ batch["days"] ~ "]::date[]") -%}
        {%- do run_query(write_by_day(model_sql, columns, key, run ~ "-" ~ loop.index)) -%}
    {%- endfor -%}

    {%- if existing is not none and existing.type != "view" -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement("main") -%} {{ note_files(this, key, run, periods | join(", ")) }} {%- endcall -%}
    {%- set asked_for = " and period_start not in (" ~ (periods | join(", ") or "null") ~ ")" -%}
    {%- set made = "select period_start from built.day_files where made_by = '" ~ run ~ "'" -%}
    {%- set of_model = " and model= '" ~ name_of(this) ~ "'" -%}
    {%- set astray = run_query(made ~ of_model ~ asked_for ~ " order by 1").columns[0].values() -%}
    {%- if astray -%}
        {{
            exceptions.raise_compiler_error(
                "it has rows of days that are not of the batch, such as "
                ~ astray[0]
                ~ "; what looks back at other days has to select those of days_of_batch()"
            )
        }}
    {%- endif -%}
    {%- if is_input_changed -%}
        {%- do run_query("delete from built.inputs where model= '" ~ name_of(this) ~ "'") -%}
        {%- do run_query(
            "insert into built.inputs values ('" ~ name_of(this) ~ "', '" ~ input_rows ~ "')"
        ) -%}
    {%- endif -%}
    {%- call statement("view") -%}
        create or replace view {{ target }} as {{ view_of_files(this, columns, key) }}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}

{#
  Query: the batches to build, in order: the periods each replaces and the days it reads, as lists of dates.
  `built.days` also has days in progress, and days that are gone.
#}
{% macro batches_of_days(relation, is_input_changed) %}
    {%- set days_after = config.get("days_after", 0) | int -%}
    {%- set days_kept = config.get("days_kept", none) -%}
    with
        to_make as (
    {%- if config.get("period") == "month" %}
                select
                    date_trunc('month', usage_date)::date as period_start,
                    usage_date,
                    date_diff('month', date '1970-01-01', usage_date) as batch
                from built.days
                where
        {{ "true" if is_input_changed else "false" }}
                    or date_trunc('month', usage_date)
                    in (select date_trunc('month', usage_date) from staging.changed_days)
    {%- elif days_after %}
                select distinct days.usage_date as period_start, days.usage_date, 1 as batch
                from built.days as days
                inner join
                    staging.changed_days as changed
                    on days.usage_date between changed.usage_date and changed.usage_date + {{ days_after }}
    {%- elif days_kept is not none %}
        -- Days that are not there, too: the window moves back when the last days vanish from the bill.
                select days.usage_date as period_start, days.usage_date, coalesce(changed.batch, -1) as batch
                from built.days as days
                left join staging.changed_days as changed using (usage_date)
                where
                    days.usage_date > ({{ last_day_with_costs() }}) - {{ days_kept | int }}
                    and days.usage_date <= ({{ last_day_with_costs() }})
                    and (
                        changed.usage_date is not null
                        or days.usage_date not in (
                            select period_start from built.day_files where model = '{{ name_of(relation) }}'
                        )
                    )
    {%- else %} select usage_date as period_start, usage_date, batch from staging.changed_days
    {%- endif %}
        )
    select
        string_agg(distinct 'date ''' || period_start || '''', ', ') as periods,
        string_agg('date ''' || usage_date || '''', ', ' order by usage_date) as days
    from to_make
    group by batch
    order by batch
{% endmacro %}

{#
  If no day is published (first run, or a rule change, which affects every day), all files of a model are discarded,
  because its columns may differ.
#}
{% macro is_made_from_scratch() %}
    {%- if flags.FULL_REFRESH -%} {{ return(true) }} {%- endif -%}
    {%- set published_days = "select count(*) from built.days where rules_fingerprint <> 'not published'" -%}
    {{ return(run_query(published_days).columns[0].values()[0] == 0) }}
{% endmacro %}

{#
  Statement: write the rows of the batch, one or more files per period with rows. Parquet has no 128-bit integers;
  DuckDB would write doubles.
#}
{% macro write_by_day(model_sql, columns, key, file_name) %}
    copy (
        select
    {%- for column in columns %}
        {%- set type = column[1] | replace("UHUGEINT", "HUGEINT") | replace("HUGEINT", "DECIMAL(38,0)") %}
                "{{ column[0] }}"::{{ type }} as "{{ column[0] }}",
    {%- endfor %}
    {%- if key not in columns | map(attribute=0) %}
        {{ config.get("meta")[config.get("period", "day")] }} as {{ key }}
    {% endif %}
        from ({{ model_sql }})
    ) to '{{ folder_of_days(this) }}' (
        format parquet, compression zstd, partition_by ({{ key }}), filename_pattern '{{ file_name }}-{uuid}', append
    )
{% endmacro %}

{# Statements: replace the periods' files by those of this run. #}
{% macro note_files(relation, key, run, periods) %}
    {%- set files = folder_of_days(relation) ~ "/*/" ~ run ~ "-*.parquet" -%}
    {%- set days_kept = config.get("days_kept", none) -%}
    delete from built.day_files
    where
        model = '{{ name_of(relation) }}'
        and (
            period_start in ({{ periods or "null" }})
    {%- if is_made_from_scratch() %} or true {%- endif %}
    {%- if days_kept is not none %}
                or period_start <= ({{ last_day_with_costs() }}) - {{ days_kept | int }}
                or period_start > ({{ last_day_with_costs() }})
    {%- endif %}
        );
    {%- if run_query("select count(*) from glob('" ~ files ~ "')").columns[0].values()[0] %}
        insert into built.day_files
        select
            '{{ name_of(relation) }}',
            regexp_extract(file_name, '{{ key }}=([0-9-]+)', 1)::date,
            file_name,
            num_rows,
            '{{ run }}'
        from parquet_file_metadata('{{ files }}');
    {%- endif %}
    -- Without any row, a period is made all the same.
    insert into built.day_files
    select '{{ name_of(relation) }}', period_start, null, 0, '{{ run }}'
    from (select unnest([{{ periods }}]::date[]) as period_start)
    where
        period_start not in (
            select period_start
            from built.day_files
            where model = '{{ name_of(relation) }}' and made_by = '{{ run }}'
        )
{% endmacro %}

{# Query: the rows of the current files, with the model's types. #}
{% macro view_of_files(relation, columns, key) %}
    {%- set found -%}
        select file from built.day_files where model = '{{ name_of(relation) }}' and file is not null order by file
    {%- endset -%}
    {%- set files = run_query(found).columns[0].values() -%}
    select
    {%- for column in columns %}
        {{ '"' ~ column[0] ~ '"' if files else "null" }}::{{ column[1] }} as "{{ column[0] }}"
        {{- "," if not loop.last }}
    {%- endfor %}
    {%- if files %}
        from
            read_parquet(
                ['{{ files | join("', '") }}'], hive_partitioning = true, hive_types = { '{{ key }}': date }
            )
    {%- else %} where false
    {%- endif %}
{% endmacro %}

{% macro name_of(relation) -%}
    {{ relation.schema }}.{{ relation.identifier }}
{%- endmacro %}

{# COPY creates this folder, but not its parent. #}
{% macro folder_of_days(relation) -%}
    {{ var("days") }}/{{ relation.identifier }}
{%- endmacro %}

{# Query: the latest past day with any cost in this run. #}
{% macro last_day_with_costs() -%}
    select max(usage_date)
    from
        (
            select usage_date
            from staging.changed_days
            where charges_fingerprint is not null
            union all
            select usage_date
            from built.days
            where
                charges_fingerprint is not null
                and usage_date not in (select usage_date from staging.changed_days)
        )
    where usage_date <= (select billed_through from staging.billed_through)
{%- endmacro %}

{# Condition: the day is among the given number of latest days with costs. #}
{% macro is_newest_day(column, days_kept) -%}
    {{ column }} > ({{ last_day_with_costs() }}) - {{ days_kept | int }}
    and {{ column }} <= ({{ last_day_with_costs() }})
{%- endmacro %}
