{#
  An id as it is compared: Azure writes its ids now with capitals and now without, and means the same; they are in lower
  case here. Ids of other providers stay as they are.
#}
{% macro comparable_id(id) -%}
    case when lower(left({{ id }}, 15)) = '/subscriptions/' then lower({{ id }}) else {{ id }} end
{%- endmacro %}
