{#
  A word of a FOCUS column in FOCUS' own spelling: exports differ in capitals and stray spaces. A word that FOCUS does
  not have becomes `otherwise`, absent values stay absent.
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
