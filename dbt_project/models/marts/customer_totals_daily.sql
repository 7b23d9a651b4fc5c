-- depends_on: {{ ref("stg_customers__customers") }}
select
    usage_date,
    customer_id,
    billing_currency,
    {{ sum_of_cost_columns() }},
    {%- for kind in ["direct", "usage", "even", "fixed", "overhead"] %}
        cast(
            sum(case when allocation_kind = '{{ kind }}' then effective_cost else 0 end) as decimal(38, 24)
        ) as {{ kind }}_effective_cost{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref("customer_costs_daily") }}
where unallocated_reason is distinct from 'day to come'
group by all
