{#
  Shares that add up to exactly 1, one set per combination of `set_columns`. `relation` has those columns, `member` and
  `quantity` (a whole number above 0). A share is quantity ÷ total cut at the twelfth digit; what is
  missing to 1 goes to the largest quantity (of equal ones, the first by member). Who is left with nothing has no row.
#}
{% macro shares_of_quantities(relation, set_columns, member) %}
    {%- set key = set_columns | join(", ") -%}
    with
        totals as (
            select {{ key }}, sum(quantity) as total, max(quantity) as largest
            from {{ relation }}
            group by {{ key }}
        ),

        cut as (
            select
                {{ key }},
                parts.{{ member }},
                parts.quantity,
                totals.total,
                parts.quantity = totals.largest as is_largest,
                {{ share_units("parts.quantity", "totals.total") }} as share_units
            from {{ relation }} as parts
            inner join totals using ({{ key }})
        ),

        remainders as (
            select
                {{ key }},
                1000000000000 - sum(share_units) as missing_units,
                min({{ member }}) filter (is_largest) as {{ member }}
            from cut
            group by {{ key }}
        ),

        closed as (
            select
                {{ key }},
                cut.{{ member }},
                cut.quantity,
                cut.total,
                cut.share_units + case
                    when cut.{{ member }} = remainders.{{ member }} then remainders.missing_units else 0
                end as share_units
            from cut
            inner join remainders using ({{ key }})
        )

    select {{ key }}, {{ member }}, quantity, total, {{ share("share_units") }} as share
    from closed
    where share_units > 0
{% endmacro %}

{#
  quantity ÷ total of whole numbers below 10^38, in units of 10^-12, cut. Where quantity × 10^12 does not fit in 128 bits,
  the quotient without the last twelve digits of either is at most one unit too small; whether it is, is found by
  multiplying back, twelve digits at a time.
#}
{% macro share_units(quantity, total) -%}
    {%- set estimate = (
        "(divide(divide("
        ~ quantity
        ~ ", 1000000000000) * 1000000000000, divide("
        ~ total
        ~ ", 1000000000000) + 1) + 1)"
    ) -%}
    cast(
        case
            when {{ total }} < 100000000000000000000000000
            then divide({{ quantity }} * 1000000000000, {{ total }})
            when
                divide({{ quantity }}, 1000000000000) * 1000000000000
                - {{ estimate }} * divide({{ total }}, 1000000000000)
                + divide(
                    {{ quantity }} % 1000000000000 * 1000000000000
                    - {{ estimate }} * ({{ total }} % 1000000000000)
                    + 2000000000000000000000000,
                    1000000000000
                )
                >= 2000000000000
            then {{ estimate }}
            else {{ estimate }} - 1
        end as bigint
    )
{%- endmacro %}

{# Units of 10^-12 as a share. #}
{% macro share(units) -%}
    cast(cast({{ units }} as decimal(13, 0)) * 0.000000000001 as decimal(13, 12))
{%- endmacro %}

{# Names a share set: a number made of what it answers. #}
{% macro share_set_id(question) -%}
    md5_number_lower(cast(to_json([{{ columns_as_text(question) }}]) as varchar))
{%- endmacro %}

{# Columns as texts, for `to_json`, which tells absent values and empty ones apart. #}
{% macro columns_as_text(columns) -%}
    {%- if columns is string -%} {%- set columns = columns.split(",") -%} {%- endif -%}
    {%- for column in columns -%}
        cast({{ column | trim }} as varchar){{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# How many days before it a day may look back for usage, at most. #}
{% macro longest_lookback() -%} 30 {%- endmacro %}

{# Condition: usage with this filter, or without any, is of a share set with these filters, one a line. #}
{% macro filter_is_of_set(filter, filters) -%}
    ({{ filter }} is null or list_contains(string_split({{ filters }}, chr(10)), {{ filter }}))
{%- endmacro %}
