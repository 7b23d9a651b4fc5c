{# A text without blanks at its ends: spaces, those that break no line or have no width, tabs, line ends. #}
{% macro trimmed(text) -%}
    trim(
        {{ text }},
        ' '
        || chr(9)
        || chr(10)
        || chr(11)
        || chr(12)
        || chr(13)
        || chr(160)
        || chr(8199)
        || chr(8203)
        || chr(8239)
        || chr(8288)
        || chr(65279)
    )
{%- endmacro %}

{#
  Join of the alias that names a customer on the day; `customer_of` then gives the customer. Every id of a customer,
  from usage, tags, fixed shares or revenue, becomes a customer by these two, so that all are read alike.
#}
{% macro join_alias(id, usage_date) -%}
    left join
        {{ ref("stg_customers__aliases") }} as aliases
        on aliases.alias = {{ trimmed(id) }}
        and {{ usage_date }} between aliases.valid_from and aliases.valid_to
{%- endmacro %}

{# The customer that an id stands for: itself, unless it is another one's alias. #}
{% macro customer_of(id) -%} coalesce(aliases.customer_id, {{ trimmed(id) }}) {%- endmacro %}
