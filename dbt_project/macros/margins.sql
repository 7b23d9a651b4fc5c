{#
  What an effective cost is to a gross margin: `cost of goods sold` (what gross margin subtracts, whoever carries it),
  `other cost` (research, internal tools: outside gross margin) or `cost to come` (for days after `billed_through`).
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
  Gross margin ÷ revenue to six digits, cut toward zero. Null where there is no revenue to divide by (none, or more
  refunded than paid), and where the quotient has more than twelve digits before the point.
#}
{% macro margin_ratio(margin, revenue) -%}
    case
        when {{ revenue }} > 0
        then
            cast(
                try_cast(
                    {{ whole_quotient(carried_units(margin), money_units(revenue) ~ " * 1000000") }}
                    as decimal(18, 0)
                )
                * 0.000001 as decimal(18, 6)
            )
    end
{%- endmacro %}

{# The part of a day's revenue that a margin compares with cost: all but that of a running month's unbilled days. #}
{% macro revenue_to_date(revenue, months) -%}
    case
        when
            {{ months }}.is_running
            and {{ revenue }}.usage_date > coalesce({{ months }}.billed_through, date '0001-01-01')
        then 0
        else {{ revenue }}.revenue
    end
{%- endmacro %}

{# So many months after a month (before it: below 0), both as YYYY-MM. #}
{% macro months_after(month, count) -%}
    strftime(cast({{ month }} || '-01' as date) + interval ({{ count }}) month, '%Y-%m')
{%- endmacro %}

{# A change of an amount for a reader: `+412.30`, `-0.05`. #}
{% macro change_text(amount) -%}
    case when {{ amount }} >= 0 then '+' else '' end || cast(cast({{ amount }} as decimal(38, 2)) as varchar)
{%- endmacro %}

{# What is missing of a row that has revenue or cost only, or neither any more. #}
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

{# Which of the two made the margin move: the one whose effect goes the way of the margin, and goes further. #}
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
  Order of the parts of a change for `row_number`: the one that goes furthest the way of the whole comes first, and
  the one that moved most where the whole did not move.
#}
{% macro furthest_first(part, whole) -%}
    case
        when {{ whole }} > 0 then {{ part }} when {{ whole }} < 0 then -{{ part }} else abs({{ part }})
    end desc
{%- endmacro %}

{#
  Why the margin changed, for a reader: first what moved it, then the other side. `cost_reason` names
  what the cost changed by most.
#}
{% macro change_reason(cause, revenue_change, cost_change, cost_reason) -%}
    case
        {{ cause }}
        when 'revenue'
        then 'revenue ' || {{ change_text(revenue_change) }} || '; cost ' || {{ change_text(cost_change) }}
        when 'cost'
        then
            'cost '
            || {{ change_text(cost_change) }}
            || coalesce(', above all ' || {{ cost_reason }}, '')
            || '; revenue '
            || {{ change_text(revenue_change) }}
        else 'no change'
    end
{%- endmacro %}
