{#
  What a model says of its rows in `config.meta`: `one_row_per`, the columns of its key (absent values count as equal;
  `dimensions` stands for all dimension columns), and `required`, columns that are never absent. One law looks at all of
  them, model by model: a test of its own for each took longer than all that they look at.
#}
{% macro broken_keys() %}
    {%- set found = [] -%}
    {%- set nodes = graph.nodes.values() if execute else [] -%}
    {%- for node in nodes | selectattr("resource_type", "equalto", "model") -%}
        {%- set meta = node.config.meta -%}
        {%- for query in [
            key_query(node, meta.get("one_row_per")),
            absent_query(node, meta.get("required")),
        ] -%}
            {%- if query -%}
                {%- for row in run_query(query).rows -%}
                    {%- do found.append([node.schema ~ "." ~ node.name, row[0], row[1], row[2]]) -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# Query: whether rows of the model share a key: what is wrong, how often, and one example of it. #}
{% macro key_query(node, columns) %}
    {%- if not columns -%} {{ return("") }} {%- endif -%}
    {%- set key = [] -%}
    {%- for column in columns -%}
        {%- if column == "dimensions" -%} {%- do key.extend(dimension_names()) -%}
        {%- else -%} {%- do key.append(column) -%}
        {%- endif -%}
    {%- endfor %}
    {%- set query -%}
        select
            'more than one row per {{ key | join(", ") }}' as problem,
            count(*) as row_count,
            any_value(repeated)::varchar as example
        from
            (
                select {{ key | join(", ") }}
                from {{ of_the_days(node.relation_name, node, 0) }} as rows_to_check
                group by {{ key | join(", ") }}
                having count(*) > 1
            ) as repeated
        having count(*) > 0
    {%- endset -%}
    {{ return(query) }}
{% endmacro %}

{# Query: whether a required column of the model is absent in any row, likewise. #}
{% macro absent_query(node, columns) %}
    {%- if not columns -%} {{ return("") }} {%- endif -%}
    {%- set query -%}
        select
            'absent: {{ columns | join(" or ") }}' as problem,
            count(*) as row_count,
            any_value(incomplete)::varchar as example
        from {{ of_the_days(node.relation_name, node, 0) }} as incomplete
        where ({{ columns | join(" is null or ") }} is null)
        having count(*) > 0
    {%- endset -%}
    {{ return(query) }}
{% endmacro %}
