{{ config(meta={"dagster": {"ref": {"name": "customer_costs_hourly"}}}) }}
-- Law: in every cost column, the hours of every row of customer_costs_daily sum to it.
{%- set key %}
    usage_date,
    billing_month,
    customer_id,
    {{ dimension_columns() }},
    service_name,
    provider_name,
    charge_category,
    allocation_kind,
    unallocated_reason,
    billing_currency,
    x_source_name
{%- endset %}
select {{ key }}
from
    (
        select {{ key }}, {{ cost_columns() | join(", ") }}
        from {{ ref("customer_costs_hourly") }}
        union all
        select
            {{ key }},
            {%- for column in cost_columns() %} -{{ column }}{{ "," if not loop.last }} {%- endfor %}
        from {{ ref("customer_costs_daily") }}
        where {{ is_newest_day("usage_date", var("hourly_costs_days")) }}
    )
group by all
having
    {%- for column in cost_columns() %}
        sum({{ column }}) is distinct from 0 {{ "or" if not loop.last }}
    {%- endfor %}
