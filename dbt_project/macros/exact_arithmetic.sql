{#
  Exact arithmetic. DuckDB divides decimals as floating point numbers, so every quotient of money or usage is taken
  on integers: an amount is a whole number of units of its last decimal digit.
#}
{# Money as a whole number of 10^-12 units. #}
{% macro money_units(amount) -%} cast({{ amount }} * 1000000000000 as hugeint) {%- endmacro %}

{# Units of 10^-12 as money. #}
{% macro money(units) -%}
    cast(cast({{ units }} as decimal(38, 0)) * 0.000000000001 as decimal(38, 12))
{%- endmacro %}

{# Quotient of two whole numbers, cut toward zero (a function: the formatter takes two slashes for a comment). #}
{% macro whole_quotient(dividend, divisor) -%} divide({{ dividend }}, {{ divisor }}) {%- endmacro %}

{#
  amount × part ÷ whole, all money, cut toward zero at the last digit; null when the whole is 0 or anything is null.
#}
{% macro money_times_ratio(amount, part, whole) -%}
    {{
        money(
            whole_quotient(
                money_units(amount) ~ " * " ~ money_units(part),
                "nullif(" ~ money_units(whole) ~ ", 0)",
            )
        )
    }}
{%- endmacro %}

{# An amount divided by a whole number, cut toward zero at the 24th digit; null when divided by nothing. #}
{% macro money_divided_by(amount, whole_number) -%}
    {{
        carried_money(
            whole_quotient(carried_units(amount), "nullif(cast(" ~ whole_number ~ " as hugeint), 0)")
        )
    }}
{%- endmacro %}

{# What one unit of a quantity (nine digits) costs, cut toward zero at the twelfth digit; null without any. #}
{% macro cost_of_one(cost, quantity) -%}
    {{
        money(
            whole_quotient(
                carried_units(cost), "nullif(cast(" ~ quantity ~ " * 1000000000000 as hugeint), 0)"
            )
        )
    }}
{%- endmacro %}

{# part ÷ whole of what customers carry, to twelve digits, cut toward zero; null when the whole is 0. #}
{% macro ratio(part, whole) -%}
    {%- set dividend, divisor = carried_units(part), "nullif(" ~ carried_units(whole) ~ ", 0)" -%}
    {%- set rest = dividend ~ " % " ~ divisor -%}
    {{
        money(
            whole_quotient(dividend, divisor)
            ~ " * 1000000000000 + sign("
            ~ rest
            ~ ") * sign("
            ~ divisor
            ~ ") * "
            ~ share_units("abs(" ~ rest ~ ")", "abs(" ~ divisor ~ ")")
        )
    }}
{%- endmacro %}

{#
  The part of an amount of money between two points of a whole, as `before` and `until` of `whole` (whole numbers): what
  the amount comes to at the one, cut at the last digit, less what it comes to at the other. So parts that follow one
  another add up to the amount. The one way in which a charge or a pool is cut before customers have a share of it.
#}
{% macro part_of_amount(amount, before, until, whole) -%}
    {{
        money(
            whole_quotient(money_units(amount) ~ " * (" ~ until ~ ")", whole)
            ~ " - "
            ~ whole_quotient(money_units(amount) ~ " * (" ~ before ~ ")", whole)
        )
    }}
{%- endmacro %}

{# A sum of charges as the cost of a pool. #}
{% macro pool_money(amount) -%}
    case
        when abs({{ amount }}) < 1000000000000
        then cast({{ amount }} as decimal(24, 12))
        else
            error(
                'The {{ amount }} of '
                || coalesce(service_name, 'a service')
                || ' on '
                || usage_date
                || ' is '
                || {{ amount }}
                || ' '
                || coalesce(billing_currency, '')
                || ', and a pool of cost holds less than 10^12. Deliver this bill in a larger unit of money, or '
                || 'divide it over more services, accounts or days.'
            )
    end
{%- endmacro %}

{# What customers carry, or a margin (decimal(38, 24)), as a whole number of its last digit, and back. #}
{% macro carried_units(amount) -%}
    cast(replace(cast(cast({{ amount }} as decimal(38, 24)) as varchar), '.', '') as hugeint)
{%- endmacro %}

{% macro carried_money(units) -%}
    cast(cast({{ units }} as decimal(38, 0)) * 0.000000000000000000000001 as decimal(38, 24))
{%- endmacro %}

{# A decimal for a reader, in full but for zeros at its end. #}
{% macro without_zeros(number) -%} rtrim(rtrim(cast({{ number }} as varchar), '0'), '.') {%- endmacro %}
