{#
  Text in Unicode's composed form (NFC), trimmed of spaces (also non-breaking and zero-width ones), tabs and line
  breaks.
#}
{% macro trimmed(text) -%}
    trim(
        nfc_normalize({{ text }}),
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
  Join of the alias valid on the day; the customer is then
  coalesce(aliases.customer_id, trimmed id). All customer ids (usage, tags, fixed shares, revenue) are resolved so.
#}
{% macro join_alias(id, usage_date) -%}
    left join
        {{ ref("stg_customers__aliases") }} as aliases
        on aliases.alias = {{ trimmed(id) }}
        and {{ usage_date }} between aliases.valid_from and aliases.valid_to
{%- endmacro %}
