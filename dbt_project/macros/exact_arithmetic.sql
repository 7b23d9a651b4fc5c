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

{# An amount of money divided by a whole number, cut toward zero at the last digit; null when divided by nothing. #}
{% macro money_divided_by(amount, whole_number) -%}
    {{ money(whole_quotient(money_units(amount), "nullif(cast(" ~ whole_number ~ " as hugeint), 0)")) }}
{%- endmacro %}

{#
  part ÷ whole of two decimals of the same scale, to twelve digits, cut toward zero; null when the whole is 0.
#}
{% macro ratio(part, whole) -%} {{ money_times_ratio("1", part, whole) }} {%- endmacro %}

{#
  units × share ÷ total, cut toward zero: `quotient` and `remainder` are units divided by total, so no product
  is larger than units or total squared (total < 10^18, see usage_shares). Products that fit in 64 bits, nearly all
  of them, are divided there: an order of magnitude faster than 128-bit division, and the same result.
#}
{% macro units_times_share(quotient, remainder, share, total) -%}
    {{ quotient }} * {{ share }} + case
        when {{ remainder }} * {{ share }} between -9000000000000000000 and 9000000000000000000
        then
            cast(
                {{
                    whole_quotient(
                        "cast(" ~ remainder ~ " * " ~ share ~ " as bigint)",
                        "cast(" ~ total ~ " as bigint)",
                    )
                }} as hugeint
            )
        else {{ whole_quotient(remainder ~ " * " ~ share, total) }}
    end
{%- endmacro %}
