-- The finest dimension is derived from the bill, so it needs no setting.
with
    costs as materialized(
        select
            billing_month,
            customer_id,
            billing_currency,
            {{ dimension_columns() }},
            service_name,
            sum(effective_cost) as effective_cost
        from {{ ref("customer_costs_monthly") }}
        where {{ margin_side("unallocated_reason") }} = 'cost of goods sold'
        group by all
    ),

    months as (select distinct billing_month from {{ ref("customer_costs_monthly") }}),

    element_counts as (
        {%- for name in dimension_names() %}
            select '{{ name }}' as dimension, count(distinct {{ name }}) as element_count
            from costs {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    finest as (
        select min(dimension) as dimension
        from element_counts
        where element_count = (select max(element_count) from element_counts)
    ),

    by_element as (
        select
            billing_month,
            customer_id,
            billing_currency,
            finest.dimension,
            case
                finest.dimension
                {%- for name in dimension_names() %} when '{{ name }}' then {{ name }}{% endfor %}
            end as element,
            service_name,
            sum(effective_cost) as effective_cost
        from costs
        cross join finest
        group by all
    ),

    -- Every amount twice: as the month's own, and as the next month's previous value.
    both_months as (
        select *, cast(0 as decimal(38, 24)) as previous_effective_cost
        from by_element
        union all by name
        select
            * replace (
                cast(billing_month + interval 1 month as date) as billing_month,
                cast(0 as decimal(38, 24)) as effective_cost
            ),
            effective_cost as previous_effective_cost
        from by_element
    )

select
    billing_month,
    customer_id,
    customers.customer_name,
    customers.segment,
    billing_currency,
    dimension,
    element,
    service_name,
    sum(effective_cost) as effective_cost,
    sum(previous_effective_cost) as previous_effective_cost,
    sum(effective_cost) - sum(previous_effective_cost) as cost_change
from both_months
left join {{ ref("customers") }} as customers using (customer_id)
where
    billing_month in (select billing_month from months)
    and cast(billing_month - interval 1 month as date) in (select billing_month from months)
group by all
having sum(effective_cost) <> sum(previous_effective_cost)
