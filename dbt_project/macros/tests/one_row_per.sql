{#
  The key of a model: no two rows share these columns (absent values count as equal). `dimensions` stands for all
  dimension columns. Only the days of this run are looked at where the model has them: the others were tested when
  they were built.
#}
{% test one_row_per(model, columns, day_column=none) %}
    {%- set key = [] -%}
    {%- for column in columns -%}
        {%- if column == "dimensions" -%} {%- do key.extend(dimension_names()) -%}
        {%- else -%} {%- do key.append(column) -%}
        {%- endif -%}
    {%- endfor %}
    select {{ key | join(", ") }}, count(*) as row_count
    from {{ model }}
    {% if day_column %}
        where {{ day_column }} in (select usage_date from {{ ref("changed_days") }})
    {% endif %}
    group by {{ key | join(", ") }}
    having count(*) > 1
{% endtest %}
