{#
  Materialization of models kept by day: each day is its own immutable Parquet file, and the model is a view over the
  current files. A run builds the days in `changed_days` in batches, so memory is bounded by a batch, then swaps the
  view, replacing whole days. Files of a killed run are in no view. Set it for a folder with `+materialized: by_day`
  in dbt_project.yml. `period: month` keeps files by month (`usage_month`) and builds months with a changed day, one
  at a time. `days_after` also rebuilds that many days after each changed day, a quarter at a time, for models that
  look back. `days_kept` keeps only that many latest days with costs. `made_again_after` names a table without days
  (`marts.customers`): if its rows change, every period is rebuilt. `customer_names` adds the columns of
  customer_names() to the view, not to the files: a renamed customer changes no day.

  Other processes can compute the days (docs/decisions/0030). With the environment variable DBT_PLAN_DAYS, no day is
  computed: the statements that compute one go to `built.day_plan`. Days in `built.days_made` are taken from there.

  `batches` has, in order, the periods to replace and the days to read, as lists of dates; `built.days` also has days in
  progress, and days that are gone.
#}
{% materialization by_day, adapter = "duckdb" %}
    {%- set target = this.incorporate(type="view") -%}
    {%- set model_sql = compiled_code -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- do query_rows("set variable batch_days = []::date[]") -%}
    {%- set has_names = config.get("customer_names", false) -%}
    {%- if config.get("contract").enforced -%}
        {{ get_assert_columns_equivalent(customer_names(model_sql) if has_names else model_sql) }}
        {%- set columns = [] -%}
        {%- for column in model.columns.values() -%}
            {%- if not (has_names and column.name in ["customer_name", "segment"]) -%}
                {%- do columns.append([column.name, column.data_type | upper]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {%- set columns = query_rows("select column_name, column_type from (describe " ~ model_sql ~ ")") -%}
    {%- endif -%}
    {%- set name = this.schema ~ "." ~ this.identifier -%}
    {%- set days_after = config.get("days_after", 0) | int -%}
    {%- set days_kept = config.get("days_kept", none) -%}
    {%- set key = "usage_month" if config.get("period") == "month" else "usage_date" -%}
    {%- set run = invocation_id | replace("-", "") -%}

    {%- set input, is_input_changed = config.get("made_again_after", none), false -%}
    {%- if input -%}
        {%- set all_rows = (
            "select concat(count(*), '-', sum(hash(found)::hugeint)) from " ~ input ~ " as found"
        ) -%}
        {%- set input_rows = query_rows(all_rows)[0][0] -%}
        {%- set known = "select input_rows from built.inputs where model= '" ~ name ~ "'" -%}
        {%- set is_input_changed = [input_rows] != query_rows(known) | map(attribute=0) | list -%}
    {%- endif -%}

    {%- set is_plan = env_var("DBT_PLAN_DAYS", "") != "" -%}
    {%- set batches -%}
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
                    select distinct
                        days.usage_date as period_start,
                        days.usage_date,
                        date_diff('quarter', date '1970-01-01', days.usage_date) as batch
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
                                select period_start from built.day_files where model = '{{ name }}'
                            )
                        )
        {%- else %} select usage_date as period_start, usage_date, batch from staging.changed_days
        {%- endif %}
            )
        select
            string_agg(distinct 'date ''' || period_start || '''', ', ') as periods,
            string_agg('date ''' || usage_date || '''', ', ' order by usage_date) as days
        from to_make
        where period_start not in (select period_start from built.days_made where model = '{{ name }}')
        group by batch
        order by batch
    {%- endset -%}
    {%- set made_elsewhere -%}
        select
            'date ''' || period_start || '''' as period,
            coalesce('''' || file || '''', 'null') as file,
            row_count
        from built.days_made
        where model = '{{ name }}'
    {%- endset -%}
    {%- set made = [] if is_plan else query_rows(made_elsewhere) -%}
    {%- for periods_of_batch, days in ([] if is_plan else query_rows(batches)) -%}
        {%- set periods, with_rows = periods_of_batch.split(", "), [] -%}
        {%- set written = write_by_day(model_sql, columns, key, var("days"), run ~ "-" ~ loop.index) -%}
        {%- for file in query_rows("set variable batch_days = [" ~ days ~ "]::date[];" ~ written) -%}
            {%- set period = "date '" ~ file[0].split(key ~ "=")[-1].split("/")[0] ~ "'" -%}
            {%- if period not in periods -%}
                {{
                    exceptions.raise_compiler_error(
                        "it has rows of days that are not of the batch, such as "
                        ~ period
                        ~ "; what looks back at other days has to select those in getvariable('batch_days')"
                    )
                }}
            {%- endif -%}
            {%- do with_rows.append(period) -%}
            {%- do made.append([period, "'" ~ file[0] ~ "'", file[1]]) -%}
        {%- endfor -%}
        {%- for period in periods if period not in with_rows -%}
            {%- do made.append([period, "null", 0]) -%}
        {%- endfor -%}
    {%- endfor -%}

    {%- set found -%}
        {%- if is_plan %} {{ plan_days(name, model_sql, columns, key) }}
            ;
            select file from built.day_files where false
        {%- else %}
            {{ note_files(name, run, made) }}
            ;
            select file from built.day_files where model = '{{ name }}' and file is not null order by file
        {%- endif %}
    {%- endset -%}
    {%- set rows = rows_of_files(columns, key, query_rows(found) | map(attribute=0) | list) -%}
    {%- if is_input_changed -%}
        {%- do query_rows("delete from built.inputs where model= '" ~ name ~ "'") -%}
        {%- do query_rows("insert into built.inputs values ('" ~ name ~ "', '" ~ input_rows ~ "')") -%}
    {%- endif -%}
    {%- if has_names -%}
        {%- set names = model.columns.keys() | join('", "') -%}
        {%- set rows = 'select "' ~ names ~ '" from (' ~ customer_names(rows) ~ ")" -%}
    {%- endif -%}
    {{ return(replace_in_place(target, "create view " ~ target ~ " as " ~ rows)) }}
{% endmaterialization %}

{# The rows of a query, as tuples. dbt's `run_query` makes a table of agate, which takes as long as the query. #}
{% macro query_rows(query) %} {{ return(adapter.add_query(query)[1].fetchall()) }} {% endmacro %}

{# Query: the rows of a model's files. #}
{% macro rows_of_files(columns, key, files) %}
    select
        {%- for column in columns %}
            {{ '"' ~ column[0] ~ '"' if files else "null" }}::{{ column[1] }} as "{{ column[0] }}"
            {{- "," if not loop.last }}
        {%- endfor %}
    {%- if files %}
        from
            read_parquet(
                ['{{ files | join("', '") }}'], hive_partitioning = true, hive_types = {'{{ key }}':date}
            )
    {%- else %} where false
    {%- endif %}
{% endmacro %}

{#
  Statement: add the model's statements to the plan: write a batch's files, named __file__, to __folder__; query the
  rows of __files__; query no rows.
#}
{% macro plan_days(name, model_sql, columns, key) %}
    insert into built.day_plan
    values
        (
            '{{ name }}',
    {{
        dbt.string_literal(
            write_by_day(model_sql, columns, key, "__folder__", "__file__") | replace("'", "''")
        )
    }},
    {{ dbt.string_literal(rows_of_files(columns, key, ["__files__"]) | replace("'", "''")) }},
    {{ dbt.string_literal(rows_of_files(columns, key, []) | replace("'", "''")) }}
        )
{% endmacro %}

{#
  Statement: write the rows of the batch, one or more files per period with rows; gives one row per file. Parquet has
  no 128-bit integers; DuckDB would write doubles.
#}
{% macro write_by_day(model_sql, columns, key, folder, file_name) %}
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
    ) to '{{ folder }}/{{ this.identifier }}' (
        format parquet, compression zstd, partition_by ({{ key }}), filename_pattern '{{ file_name }}-{uuid}', append,
        return_stats
    )
{% endmacro %}

{#
  Statements: replace the periods' files by those made: [period, file or null, rows]. If no day is published (first
  run, or a rule change, which affects every day), all files of the model are discarded, as its columns may differ.
#}
{% macro note_files(name, run, made) %}
    {%- set days_kept = config.get("days_kept", none) -%}
    delete from built.day_files
    where
        model = '{{ name }}'
        and (
            period_start in ({{ made | map(attribute=0) | join(", ") or "null" }})
            or {{ "true" if flags.FULL_REFRESH else "false" }}
            or not exists (select 1 from built.days where rules_fingerprint <> 'not published')
    {%- if days_kept is not none %}
                or period_start <= ({{ last_day_with_costs() }}) - {{ days_kept | int }}
                or period_start > ({{ last_day_with_costs() }})
    {%- endif %}
        );
    {%- if made %}
        insert into built.day_files
        values
        {%- for period, file, rows in made %}
                ('{{ name }}', {{ period }}, {{ file }}, {{ rows }}, '{{ run }}')
            {{- "," if not loop.last }}
        {%- endfor %}
        ;
    {%- endif %}
{% endmacro %}

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
