{#
  How a model is kept by day: every day is a Parquet file of its own, written once and never changed, and the model is
  a view over the files that count now. A run makes the days in `changed_days`, a batch of days at a time, so that
  memory is bounded by a batch; then the view is swapped, and a day is replaced whole. What a killed run leaves is in
  no view.

  A folder of models is kept by day by `+materialized: by_day` in dbt_project.yml; a model says nothing about it.
  `period: month` keeps files by month (`usage_month`) and makes the months that have a changed day, one at a time.
  `days_after` also makes so many days after each changed day, for what looks back at the days before it.
  `days_kept` keeps only so many of the newest days, until the last with costs.
  `made_again_after` names a table without days (`marts.customers`): when its rows are others, every period is made again.
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
  Query: the batches to make, in order: the periods that each replaces and the days that it reads, as lists of dates.
  A day that a run has in hand, and one that is gone, is in `built.days` too.
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
  When no day is published (the first run, or a change of the rules, which changes every day), no file of a model counts
  any more: its columns may be others now.
#}
{% macro is_made_anew() %}
    {%- if flags.FULL_REFRESH -%} {{ return(true) }} {%- endif -%}
    {%- set published_days = "select count(*) from built.days where rules_fingerprint <> 'not published'" -%}
    {{ return(run_query(published_days).columns[0].values()[0] == 0) }}
{% endmacro %}

{#
  Statement: the rows of the batch, a file or more for every period that has any. Parquet has no integer of 128 bits;
  DuckDB would write a double.
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

{# Statements: the files of this run in place of those that its periods had. #}
{% macro note_files(relation, key, run, periods) %}
    {%- set files = folder_of_days(relation) ~ "/*/" ~ run ~ "-*.parquet" -%}
    {%- set days_kept = config.get("days_kept", none) -%}
    delete from built.day_files
    where
        model = '{{ name_of(relation) }}'
        and (
            period_start in ({{ periods or "null" }})
    {%- if is_made_anew() %} or true {%- endif %}
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

{# Query: the rows of the files that count now, in the model's own types. #}
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

{# COPY makes this folder, but not the one that it lies in. #}
{% macro folder_of_days(relation) -%}
    {{ var("days") }}/{{ relation.identifier }}
{%- endmacro %}

{# Query: the last day that has come and has any cost, as this run finds it. #}
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

{# Condition: a day is one of so many that have come, the newest with costs. #}
{% macro is_newest_day(column, days_kept) -%}
    {{ column }} > ({{ last_day_with_costs() }}) - {{ days_kept | int }}
    and {{ column }} <= ({{ last_day_with_costs() }})
{%- endmacro %}
