{#
  Exact arithmetic. DuckDB divides decimals in floating point, so money and usage are divided as integers: an amount
  is a whole number of units of its last decimal digit, and `divide(a, b)` truncates toward zero.
#}
{# Money as an integer number of 10^-12 units. #}
{% macro money_units(amount) -%} cast({{ amount }} * 1000000000000 as hugeint) {%- endmacro %}

{# Units of 10^-12 as money. #}
{% macro money(units) -%}
    cast(cast({{ units }} as decimal(38, 0)) * 0.000000000001 as decimal(38, 12))
{%- endmacro %}

{# amount × part ÷ whole, all money, truncated toward zero; null if the whole is 0 or any input is null. #}
{% macro money_times_ratio(amount, part, whole) -%}
    {%- set dividend, divisor = money_units(amount) ~ " * " ~ money_units(part), money_units(whole) -%}
    {{ money("divide(" ~ dividend ~ ", nullif(" ~ divisor ~ ", 0))") }}
{%- endmacro %}

{# Amount ÷ integer, truncated toward zero to 24 digits; null if the divisor is 0 or null. #}
{% macro money_divided_by(amount, whole_number) -%}
    {{
        carried_money(
            "divide(" ~ carried_units(amount) ~ ", nullif(cast(" ~ whole_number ~ " as hugeint), 0))"
        )
    }}
{%- endmacro %}

{# Unit cost of a quantity (nine digits), truncated toward zero to twelve digits; null without quantity. #}
{% macro cost_of_one(cost, quantity) -%}
    {%- set divisor = "nullif(cast(" ~ quantity ~ " * 1000000000000 as hugeint), 0)" -%}
    {{ money("divide(" ~ carried_units(cost) ~ ", " ~ divisor ~ ")") }}
{%- endmacro %}

{# part ÷ whole of customer costs, truncated toward zero to twelve digits; null if the whole is 0. #}
{% macro ratio(part, whole) -%}
    {%- set dividend, divisor = carried_units(part), "nullif(" ~ carried_units(whole) ~ ", 0)" -%}
    {%- set rest = dividend ~ " % " ~ divisor -%}
    {{
        money(
            "divide("
            ~ dividend
            ~ ", "
            ~ divisor
            ~ ") * 1000000000000 + sign("
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
    {%- set units = money_units(amount) -%}
    {{
        money(
            "divide("
            ~ units
            ~ " * ("
            ~ until
            ~ "), "
            ~ whole
            ~ ")"
            ~ " - divide("
            ~ units
            ~ " * ("
            ~ before
            ~ "), "
            ~ whole
            ~ ")"
        )
    }}
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

{#
  amount × exchange rate, rounded to 24 digits, half away from zero. A product of so many digits fits no type, so the
  amount's first twelve digits after the point, whose product is exact, and the others are multiplied apart.
#}
{% macro converted(amount, rate) -%}
    {%- set first_digits = (
        "cast(" ~ amount ~ " - sign(" ~ amount ~ ") * 0.0000000000005 as decimal(26, 12))"
    ) -%}
    cast({{ first_digits }} * {{ rate }} as decimal(38, 24))
    + cast(cast({{ amount }} - {{ first_digits }} as decimal(24, 24)) * {{ rate }} as decimal(38, 24))
{%- endmacro %}
