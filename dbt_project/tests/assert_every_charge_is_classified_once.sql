{{ config(meta={"dagster": {"ref": {"name": "charges_in_context"}}}) }}
-- Law: a charge has exactly one element per dimension (or is unmatched), so it is one row in context; a
-- split charge has parts whose shares and amounts sum to the whole. Every element has its rule, and every
-- rule gives an element. Whole charges are counted; only split ones are checked one by one.
{%- set amounts = cost_columns() + ["consumed_quantity"] %}
with
    split as (
        select
            charge_id,
            usage_date,
            count(*) as part_count,
            count(distinct charge_part) as part_numbers,
            sum(charge_share) as charge_share,
            {%- for column in amounts %}
                sum({{ column }}) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ ref("charges_in_context") }}
        where charge_part > 0
        group by charge_id, usage_date
    ),

    staged as (
        select usage_date, x_source_name, billing_period, billing_currency, sum(charge_count) as charges
        from {{ ref("staged_costs") }}
        group by all
    ),

    in_context as (
        select usage_date, x_source_name, billing_period, billing_currency, sum(charge_share) as charges
        from {{ ref("charge_groups") }}
        group by all
    )

select 'parts that are not the whole' as problem, charge_id as subject, charge_share as found
from split
where charge_share is distinct from 1 or part_numbers <> part_count
union all
select 'amounts that are not the whole', charge_id, split.charge_share
from split
left join {{ ref("charges") }} as charges using (charge_id, usage_date)
where
    {%- for column in amounts %}
        split.{{ column }} is distinct from charges.{{ column }}{{ " or" if not loop.last }}
    {%- endfor %}
union all
select
    'charges lost or counted twice on ' || usage_date,
    concat_ws(' ', x_source_name, billing_period, billing_currency),
    in_context.charges - staged.charges
from staged
full join in_context using (usage_date, x_source_name, billing_period, billing_currency)
where staged.charges is distinct from in_context.charges
union all
select 'an element without a rule, or a rule without one, on ' || usage_date, service_name, charge_share
from {{ ref("charge_groups") }}
where
    cost_of_goods_sold is null
    {%- for name in dimension_names() %} or ({{ name }} is null) <> ({{ name }}_rule is null) {%- endfor %}
