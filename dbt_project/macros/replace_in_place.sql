{#
  dbt's materializations `table` and `view`, in fewer statements. dbt builds under another name, renames the old
  relation, renames the new one and drops the old, for databases whose DDL is not transactional. DuckDB's is: the
  relation is dropped and made again in one transaction, so a model that fails leaves the former one.
#}
{% materialization table, adapter = "duckdb" %}
    {%- set target = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.type != "table" -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement("main") -%}
        drop table if exists {{ target }};
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}

{% materialization view, adapter = "duckdb" %}
    {%- set target = this.incorporate(type="view") -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.type != "view" -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement("main") -%}
        drop view if exists {{ target }};
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}
