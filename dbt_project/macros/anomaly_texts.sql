{# Money for a reader, with two digits. #}
{% macro amount(cost) -%} cast(cast({{ cost }} as decimal(38, 2)) as varchar) {%- endmacro %}
