{#
  The key of a model: no two rows share these columns (absent values count as equal). `dimensions` stands for all
  dimension columns.
#}
{% test one_row_per(model, columns) %}
    {%- set key = [] -%}
    {%- for column in columns -%}
        {%- if column == "dimensions" -%} {%- do key.extend(dimension_names()) -%}
        {%- else -%} {%- do key.append(column) -%}
        {%- endif -%}
    {%- endfor %}
    select {{ key | join(", ") }}, count(*) as row_count
    from {{ model }}
    group by {{ key | join(", ") }}
    having count(*) > 1
{% endtest %}
