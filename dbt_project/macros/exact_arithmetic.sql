{#
  Exact arithmetic. DuckDB divides decimals in floating point, so money and usage are divided as integers: an amount
  is a whole number of units of its last decimal digit.
#}
{# Money as an integer number of 10^-12 units. #}
{% macro money_units(amount) -%} cast({{ amount }} * 1000000000000 as hugeint) {%- endmacro %}

{# Units of 10^-12 as money. #}
{% macro money(units) -%}
    cast(cast({{ units }} as decimal(38, 0)) * 0.000000000001 as decimal(38, 12))
{%- endmacro %}

{# Integer quotient, truncated toward zero (as a function, because sqlfmt reads two slashes as a comment). #}
{% macro whole_quotient(dividend, divisor) -%} divide({{ dividend }}, {{ divisor }}) {%- endmacro %}

{# amount × part ÷ whole, all money, truncated toward zero; null if the whole is 0 or any input is null. #}
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

{# Price × quantity, truncated toward zero to twelve digits; null if either is absent or the product is too large. #}
{% macro price_times_quantity(price, quantity) -%}
    try(
        cast(
            {{
                money(
                    whole_quotient(
                        money_units(price) ~ " * " ~ money_units(quantity), "1000000000000::hugeint"
                    )
                )
            }} as decimal(38, 12)
        )
    )
{%- endmacro %}

{# Amount ÷ integer, truncated toward zero to 24 digits; null if the divisor is 0 or null. #}
{% macro money_divided_by(amount, whole_number) -%}
    {{
        carried_money(
            whole_quotient(carried_units(amount), "nullif(cast(" ~ whole_number ~ " as hugeint), 0)")
        )
    }}
{%- endmacro %}

{# Unit cost of a quantity (nine digits), truncated toward zero to twelve digits; null without quantity. #}
{% macro cost_of_one(cost, quantity) -%}
    {{
        money(
            whole_quotient(
                carried_units(cost), "nullif(cast(" ~ quantity ~ " * 1000000000000 as hugeint), 0)"
            )
        )
    }}
{%- endmacro %}

{# part ÷ whole of customer costs, truncated toward zero to twelve digits; null if the whole is 0. #}
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
  The part of an amount between two points `before` and `until` of `whole` (integers): the difference of the two
  cumulative amounts, each truncated at the last digit, so consecutive parts sum to the amount. Every division of a
  charge or pool before allocation uses this.
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

{# Cost of a pool: a sum of charges. #}
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

{# Customer cost or margin (decimal(38, 24)) as an integer number of its last digit, and back. #}
{% macro carried_units(amount) -%}
    cast(replace(cast(cast({{ amount }} as decimal(38, 24)) as varchar), '.', '') as hugeint)
{%- endmacro %}

{% macro carried_money(units) -%}
    cast(cast({{ units }} as decimal(38, 0)) * 0.000000000000000000000001 as decimal(38, 24))
{%- endmacro %}

{# A decimal as text, without trailing zeros. #}
{% macro without_zeros(number) -%} rtrim(rtrim(cast({{ number }} as varchar), '0'), '.') {%- endmacro %}
