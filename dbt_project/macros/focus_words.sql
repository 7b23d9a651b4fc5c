{#
  A FOCUS value in FOCUS's own spelling; exports vary in capitals and spaces. Unknown values become `otherwise`,
  absent ones stay absent.
#}
{% macro focus_word(column, words, otherwise="null") -%}
    case
        when {{ column }} is null
        then null
        {% for word in words %}
            when lower(trim({{ column }})) = lower('{{ word }}') then '{{ word }}'
        {% endfor %}
        else {{ otherwise }}
    end
{%- endmacro %}

{# FOCUS, column ChargeCategory. #}
{% macro charge_categories() -%}
    {{ return(["Usage", "Purchase", "Tax", "Credit", "Adjustment"]) }}
{%- endmacro %}
