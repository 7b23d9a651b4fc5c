{# Cost columns carried from charges to marts. #}
{% macro cost_columns() -%}
    {{
        return(
            [
                "billed_cost",
                "effective_cost",
                "contracted_cost",
                "list_cost",
                "x_net_effective_cost",
            ]
        )
    }}
{%- endmacro %}

{# `sum(effective_cost) as effective_cost`, … for every cost column. #}
{% macro sum_of_cost_columns(relation="") -%}
    {%- for column in cost_columns() -%}
        sum({{ relation ~ "." if relation }}{{ column }}) as {{ column }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# `relation.product, relation.feature, …`: the columns defined by the dimension files. #}
{% macro dimension_columns(relation="") -%}
    {%- for name in dimension_names() -%}
        {{ relation ~ "." if relation }}{{ name }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
