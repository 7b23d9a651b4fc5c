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
  is larger than units or total squared (total < 10^18, see usage_shares). 128-bit division is an order of magnitude
  slower than any other step, so it is left to what nothing else can do (see also small_units_times_share):
  - products that fit in 64 bits, nearly all of those of usage, are divided there;
  - where the share is below 2^50, a floating point quotient is less than half a unit off, and rounded less than one;
    the 128-bit product shows whether it is one too far from zero, and it is put right. The same result, to the digit.
#}
{% macro units_times_share(quotient, remainder, share, total) -%}
    {%- set product = "(" ~ remainder ~ " * " ~ share ~ ")" -%}
    {%- set estimate = (
        "cast(cast("
        ~ remainder
        ~ " as double) * cast("
        ~ share
        ~ " as double) / cast("
        ~ total
        ~ " as double) as bigint)"
    ) -%}
    {{ quotient }} * {{ share }} + case
        when {{ product }} between -9000000000000000000 and 9000000000000000000
        then
            cast(
                {{ whole_quotient("cast(" ~ product ~ " as bigint)", "cast(" ~ total ~ " as bigint)") }}
                as hugeint
            )
        when {{ share }} < 1125899906842624
        then
            cast({{ estimate }} as hugeint) - case
                when {{ product }} > 0 and cast({{ estimate }} as hugeint) * {{ total }} > {{ product }}
                then 1
                when {{ product }} < 0 and cast({{ estimate }} as hugeint) * {{ total }} < {{ product }}
                then -1
                else 0
            end
        else {{ whole_quotient(product, total) }}
    end
{%- endmacro %}

{# Condition: floating point numbers hold the whole number, and every one nearer to 0, exactly (below 2^53). #}
{% macro is_whole_as_double(number) -%}
    {{ number }} between -9007199254740991 and 9007199254740991
{%- endmacro %}

{#
  The same for floating point numbers where units and remainder × share are below 2^53: both products and the sum are
  exact then, and a quotient that is no whole number is farther from the next one (1 ÷ total) than rounding can carry
  it (quotient ÷ 2^53). Nearly all usage is such.
#}
{% macro small_units_times_share(quotient, remainder, share, total) -%}
    cast({{ quotient }} * {{ share }} + trunc({{ remainder }} * {{ share }} / {{ total }}) as bigint)
{%- endmacro %}
