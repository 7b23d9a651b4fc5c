{#
  Shares that sum to exactly 1, one set per combination of `set_columns`. `relation` has those columns, `member` and
  `quantity` (a positive integer). A share is quantity ÷ total, truncated to twelve digits; the remainder to 1 goes
  to the largest quantity (in a tie, the first member). Members with a share of 0 have no row.
#}
{% macro shares_of_quantities(relation, set_columns, member) %}
    {%- set key = set_columns | join(", ") -%}
    with
        totals as (
            select {{ key }}, sum(quantity) as total, max(quantity) as largest
            from {{ relation }}
            group by {{ key }}
        ),

        truncated as (
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
            from truncated
            group by {{ key }}
        ),

        closed as (
            select
                {{ key }},
                truncated.{{ member }},
                truncated.quantity,
                truncated.total,
                truncated.share_units + case
                    when truncated.{{ member }} = remainders.{{ member }} then remainders.missing_units else 0
                end as share_units
            from truncated
            inner join remainders using ({{ key }})
        )

    select {{ key }}, {{ member }}, quantity, total, {{ share("share_units") }} as share
    from closed
    where share_units > 0
{% endmacro %}

{#
  quantity ÷ total of integers below 10^38, in units of 10^-12, truncated. If quantity × 10^12 does not fit in 128
  bits, the quotient computed without the last twelve digits of both is at most one unit too small; multiplying back,
  twelve digits at a time, tells.
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

{# Columns as text for `to_json`, which distinguishes null from empty. #}
{% macro columns_as_text(columns) -%}
    {%- if columns is string -%} {%- set columns = columns.split(",") -%} {%- endif -%}
    {%- for column in columns -%}
        cast({{ column | trim }} as varchar){{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Condition: usage with this filter, or none, belongs to a share set with these filters (one per line). #}
{% macro filter_is_of_set(filter, filters) -%}
    ({{ filter }} is null or list_contains(string_split({{ filters }}, chr(10)), {{ filter }}))
{%- endmacro %}

{# Query: usage in the windows of share sets by stream, given as a relation with the columns of `share_sets`. #}
{% macro usage_of_sets(sets) %}
    with
        window_days as (
            select
                *,
                cast(
                    unnest(
                        range(window_first_date, window_last_date + interval 1 day, interval 1 day)
                    ) as date
                ) as window_date
            from {{ sets }}
            where usage_window <> 'hour'
        )

    select
        sets.usage_date,
        sets.share_set_id,
        sets.stream,
        sets.weight,
        hourly.customer_id,
        hourly.usage_quantity
    from {{ sets }} as sets
    inner join
        {{ ref("usage_by_period") }} as hourly
        on hourly.stream = sets.stream
        and hourly.usage_period_start = sets.stream_hour
        and hourly.usage_date = sets.usage_date
    where
        sets.usage_window = 'hour'
        and hourly.usage_granularity = 'hourly'
        and {{ filter_is_of_set("hourly.filter", "sets.filters") }}
    union all
    select
        window_days.usage_date,
        window_days.share_set_id,
        window_days.stream,
        window_days.weight,
        daily.customer_id,
        daily.usage_quantity
    from window_days
    inner join
        {{ ref("usage_by_day", days_before=30) }} as daily
        on daily.stream = window_days.stream
        and daily.usage_date = window_days.window_date
    where {{ filter_is_of_set("daily.filter", "window_days.filters") }}
{% endmacro %}
