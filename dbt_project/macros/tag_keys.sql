{#
  Tags with values in Unicode's composed form (NFC) and normalized keys: without the `user` prefix, only letters and digits, in lower case. CostCenter,
  cost-center and a CUR's cost_center or c_o_s_t_center are one key. If keys become equal, the one that sorts first
  wins; AWS merges such keys too. CUR keys are already lower case with underscores: applying the full rule would cost
  four times as much per row.
#}
{% macro tag_key(key, of_cur=false) -%}
    {%- if of_cur -%} replace(regexp_replace(nfc_normalize({{ key }}), '^user_', ''), '_', '')
    {%- else -%}
        regexp_replace(
            regexp_replace(
                lower(regexp_replace(nfc_normalize({{ key }}), '^user[:_]', '')), '[^\p{L}\p{N}]+', '', 'g'
            ),
            '^$',
            'unnamed'
        )
    {%- endif -%}
{%- endmacro %}

{% macro with_tag_keys(tags, of_cur=false) -%}
    {%- set keys = "list_transform(map_keys(" ~ tags ~ "), lambda key: " ~ tag_key("key", of_cur) ~ ")" -%}
    case
        when len(list_distinct({{ keys }})) = cardinality({{ tags }})
        then map({{ keys }}, list_transform(map_values({{ tags }}), lambda value:nfc_normalize(value)))
        else
            map_from_entries(
                list_filter(
                    list_transform(
                        map_entries({{ tags }}),
                        lambda tag: {'key':{{ tag_key("tag.key", of_cur) }}, 'value':nfc_normalize(tag.value)}
                    ),
                    lambda tag,
                    position:list_position({{ keys }}, tag.key) = position
                )
            )
    end
{%- endmacro %}
