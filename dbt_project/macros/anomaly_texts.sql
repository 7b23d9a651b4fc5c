{# How an anomaly is put into words: money with two digits, factors with one, times without seconds. #}
{% macro amount(cost) -%} cast(cast({{ cost }} as decimal(38, 2)) as varchar) {%- endmacro %}

{% macro factor(ratio) -%} printf('%.1f', cast({{ ratio }} as double)) {%- endmacro %}

{% macro moment(at, granularity) -%}
    case
        when {{ granularity }} = 'hourly'
        then strftime({{ at }}, '%Y-%m-%d %H:%M')
        else strftime({{ at }}, '%Y-%m-%d')
    end
{%- endmacro %}

{# The cost that more or less usage makes at the expected cost per unit; 0 when nothing measures the usage. #}
{% macro usage_effect(expected_cost, usage_ratio) -%}
    coalesce(
        {{
            money(
                whole_quotient(
                    money_units(expected_cost)
                    ~ " * (cast("
                    ~ usage_ratio
                    ~ " * 1000000000 as hugeint) - 1000000000)",
                    1000000000,
                )
            )
        }},
        cast(0 as decimal(38, 12))
    )
{%- endmacro %}
