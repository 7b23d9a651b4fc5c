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

{#
  Net unused cost of a Savings Plan. AWS has no net column for it: the gross value × the plan's net ÷ gross
  commitment, upfront (amortised) and recurring. Gross if there are no net columns.
#}
{% macro net_savings_plan_unused() -%}
    {%- set columns = [
        "savings_plan_{}recurring_commitment_for_billing_period",
        "savings_plan_{}amortized_upfront_commitment_for_billing_period",
    ] -%}
    {%- set gross, net = [], [] -%}
    {%- for column in columns -%}
        {%- do gross.append("coalesce(" ~ column.format("") ~ ", 0)") -%}
        {%- do net.append("coalesce(" ~ column.format("net_") ~ ", " ~ column.format("") ~ ", 0)") -%}
    {%- endfor -%}
    coalesce(
        {{
            money_times_ratio(
                "(savings_plan_total_commitment_to_date - savings_plan_used_commitment)",
                "(" ~ net | join(" + ") ~ ")",
                "(" ~ gross | join(" + ") ~ ")",
            )
        }},
        savings_plan_total_commitment_to_date - savings_plan_used_commitment,
        0
    )
{%- endmacro %}
