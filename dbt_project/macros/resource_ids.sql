{#
  An id normalized for comparison: Azure ids are lower-cased, since Azure varies their capitals; others are
  unchanged.
#}
{% macro comparable_id(id) -%}
    case when lower(left({{ id }}, 15)) = '/subscriptions/' then lower({{ id }}) else {{ id }} end
{%- endmacro %}
