{# What is divided among the pods of a node: every cost column and the quantity. #}
{% macro divided_columns() -%} {{ return(cost_columns() + ["consumed_quantity"]) }} {%- endmacro %}
