{# Formatting for anomaly texts: money with two digits, factors with one, times without seconds. #}
{% macro amount(cost) -%} cast(cast({{ cost }} as decimal(38, 2)) as varchar) {%- endmacro %}

{% macro factor(ratio) -%} printf('%.1f', cast({{ ratio }} as double)) {%- endmacro %}

{% macro moment(at, granularity) -%}
    case
        when {{ granularity }} = 'hourly'
        then strftime({{ at }}, '%Y-%m-%d %H:%M')
        else strftime({{ at }}, '%Y-%m-%d')
    end
{%- endmacro %}

{# Cost change due to usage at the expected unit cost; 0 if usage is not measured. #}
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
