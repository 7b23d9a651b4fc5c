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

{# Condition: the id stands for one customer, not for what nobody carries or for many below a `minimum_share`. #}
{% macro is_one_customer(customer_id) -%} {{ customer_id }} not in {{ reserved_customers() }} {%- endmacro %}

{# The day of the run, UTC: a month that it lies in, or before, still runs. #}
{% macro run_day() -%}
    cast('{{ var("run_day", run_started_at.strftime("%Y-%m-%d")) }}' as date)
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

{# The month before a month, both as YYYY-MM. #}
{% macro month_before(month) -%}
    strftime(cast({{ month }} || '-01' as date) - interval 1 month, '%Y-%m')
{%- endmacro %}

{# The month after a month, both as YYYY-MM. #}
{% macro month_after(month) -%}
    strftime(cast({{ month }} || '-01' as date) + interval 1 month, '%Y-%m')
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
  Why the margin changed, for a reader: first what moved it, then the other side. `cost_reason` is of
  `main_cost_changes`.
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

{#
  One row per `key`, columns of cost_changes_monthly: the element whose cost changed most, the way the whole cost
  changed, and the service in it that carries most of that.
#}
{% macro main_cost_changes(key, condition="true") %}
    with
        wholes as (
            select *, sum(element_change) over (partition by {{ key | join(", ") }}) as whole_change
            from
                (
                    select {{ key | join(", ") }}, dimension, element, sum(cost_change) as element_change
                    from {{ ref("cost_changes_monthly") }}
                    where {{ condition }}
                    group by all
                ) as elements
        ),

        main_elements as (
            select *
            from wholes
            qualify
                row_number() over (
                    partition by {{ key | join(", ") }}
                    order by {{ furthest_first("element_change", "whole_change") }}, element
                )
                = 1
        ),

        services as (
            select
                {%- for column in key %} main_elements.{{ column }}, {% endfor %}
                main_elements.dimension,
                main_elements.element,
                main_elements.element_change,
                changes.service_name,
                sum(changes.cost_change) as service_change
            from main_elements
            inner join
                {{ ref("cost_changes_monthly") }} as changes
                on changes.element is not distinct from main_elements.element
                {%- for column in key %} and changes.{{ column }} = main_elements.{{ column }} {%- endfor %}
            where {{ condition }}
            group by all
        )

    select
        {{ key | join(", ") }},
        coalesce(dimension || ' ' || element, 'no ' || dimension)
        || ' '
        || {{ change_text("element_change") }}
        || ' ('
        || service_name
        || ' '
        || {{ change_text("service_change") }}
        || ')' as cost_reason
    from services
    qualify
        row_number() over (
            partition by {{ key | join(", ") }}
            order by {{ furthest_first("service_change", "element_change") }}, service_name
        )
        = 1
{% endmacro %}
