{# Join of the alias that names a customer on the day; `customer_of` then gives the customer. #}
{% macro join_alias(id, usage_date) -%}
    left join
        {{ ref("stg_customers__aliases") }} as aliases
        on aliases.alias = {{ id }}
        and {{ usage_date }} between aliases.valid_from and aliases.valid_to
{%- endmacro %}

{# The customer that an id stands for: itself, unless it is another one's alias. #}
{% macro customer_of(id) -%} coalesce(aliases.customer_id, {{ id }}) {%- endmacro %}
