{#
  Role of an effective cost in gross margin: `cost of goods sold` (subtracted, allocated or not), `other cost`
  (research, internal tools; outside gross margin) or `cost to come` (days after `billed_through`).
#}
{% macro margin_side(unallocated_reason) -%}
    case
        {{ unallocated_reason }}
        when 'not cost of goods sold'
        then 'other cost'
        when 'day to come'
        then 'cost to come'
        else 'cost of goods sold'
    end
{%- endmacro %}

{#
  Gross margin ÷ revenue, truncated toward zero to six digits. Null without positive revenue, and if the quotient has
  more than twelve digits before the point.
#}
{% macro margin_ratio(margin, revenue) -%}
    case
        when {{ revenue }} > 0
        then
            cast(
                try_cast(
                    divide({{ carried_units(margin) }}, {{ money_units(revenue) }} * 1000000) as decimal(
                        18, 0
                    )
                )
                * 0.000001 as decimal(18, 6)
            )
    end
{%- endmacro %}

{# Revenue of a day that the margin uses: all except that of a running month's unbilled days. #}
{% macro revenue_to_date(revenue, months) -%}
    case
        when
            {{ months }}.is_running
            and {{ revenue }}.usage_date > coalesce({{ months }}.billed_through, date '0001-01-01')
        then 0
        else {{ revenue }}.revenue
    end
{%- endmacro %}

{# Which side a row lacks: revenue, cost, or both. #}
{% macro missing_side(has_revenue, has_cost) -%}
    case
        when {{ has_revenue }} and {{ has_cost }}
        then null
        when {{ has_cost }}
        then 'revenue'
        when {{ has_revenue }}
        then 'cost'
        else 'both'
    end
{%- endmacro %}

{# Whether revenue or cost moved the margin: the one with the larger effect in the margin's direction. #}
{% macro change_cause(revenue_change, cost_change) -%}
    case
        when {{ revenue_change }} is null or ({{ revenue_change }} = 0 and {{ cost_change }} = 0)
        then null
        when {{ revenue_change }} < {{ cost_change }}
        then case when {{ revenue_change }} < -{{ cost_change }} then 'revenue' else 'cost' end
        when {{ revenue_change }} > {{ cost_change }}
        then case when {{ revenue_change }} > -{{ cost_change }} then 'revenue' else 'cost' end
        else 'cost'
    end
{%- endmacro %}

{#
  Order for `row_number`: the part that moved furthest in the direction of the total first; if the total did not
  move, the one that moved most.
#}
{% macro furthest_first(part, whole) -%}
    case
        when {{ whole }} > 0 then {{ part }} when {{ whole }} < 0 then -{{ part }} else abs({{ part }})
    end desc
{%- endmacro %}
