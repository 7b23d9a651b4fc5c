{# What of a charge is divided among the pods of its node: every cost column, and the quantity. #}
{% macro divided_columns() -%} {{ return(cost_columns() + ["consumed_quantity"]) }} {%- endmacro %}
