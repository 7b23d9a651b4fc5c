{#
  dbt's materializations `table` and `view`, in fewer statements. dbt builds under another name, renames the old
  relation, renames the new one and drops the old, for databases whose DDL is not transactional. DuckDB's is: the
  relation is dropped and made again in one transaction, so a model that fails leaves the former one.
#}
{% materialization table, adapter = "duckdb" %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set target = this.incorporate(type="table") -%}
    {{ return(replace_in_place(target, create_table_as(False, target, compiled_code))) }}
{% endmaterialization %}

{% materialization view, adapter = "duckdb" %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set target = this.incorporate(type="view") -%}
    {{ return(replace_in_place(target, get_create_view_as_sql(target, sql))) }}
{% endmaterialization %}

{# Replace a relation with what a statement creates, and run post-hooks; returns what a materialization returns. #}
{% macro replace_in_place(target, create) %}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.type != target.type -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement("main") -%}
        drop {{ target.type }} if exists {{ target }};
        {{ create }}
        ;
        {{ comments(target) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target]}) }}
{% endmacro %}

{#
  Statements: write the descriptions of a model and its columns into the database, as `persist_docs` says. dbt's macro
  asks for the columns first; here the contract has checked them.
#}
{% macro comments(relation) %}
    {%- if config.persist_relation_docs() and model.description %}
        comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(model.description) }};
    {%- endif %}
    {%- if config.persist_column_docs() %}
        {%- for column in model.columns.values() if column.description %}
            comment on column {{ relation }}."{{ column.name }}" is {{ duckdb_escape_comment(column.description) }};
        {%- endfor %}
    {%- endif %}
{% endmacro %}
