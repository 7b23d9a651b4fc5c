{#
  dbt's materializations `table` and `view`, in fewer statements. dbt builds under another name, renames the old
  relation, renames the new one and drops the old, for databases whose DDL is not transactional. DuckDB's is: the
  relation is dropped and made again in one transaction, so a model that fails leaves the former one.
#}
{% materialization table, adapter = "duckdb" %}
    {%- set target = this.incorporate(type="table") -%}
    {{ return(replace_in_place(target, create_table_as(False, target, compiled_code))) }}
{% endmaterialization %}

{% materialization view, adapter = "duckdb" %}
    {%- set target = this.incorporate(type="view") -%}
    {{ return(replace_in_place(target, get_create_view_as_sql(target, sql))) }}
{% endmaterialization %}

{# Replace a relation with what a statement creates; returns what a materialization returns. #}
{% macro replace_in_place(target, create) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.type != target.type -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement("main") -%}
        drop {{ target.type }} if exists {{ target }};
        {{ create }}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target]}) }}
{% endmacro %}
