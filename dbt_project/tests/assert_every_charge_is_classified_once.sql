{{ config(meta={"dagster": {"ref": {"name": "charges_in_context"}}}) }}
-- Law: a charge is in exactly one element of every dimension (or unmatched), so it is one row in context. A
-- charge that is split is there in parts, which are the whole: in their shares, and in every amount.
{%- set amounts = cost_columns() + ["consumed_quantity"] %}
with
    charges as (select charge_id, {{ amounts | join(", ") }} from {{ ref("charges") }}),

    in_context as (select * from {{ ref("charges_in_context") }}),

    found as (
        select charge_id, count(*) as charge_count, sum(charge_share) as charge_share
        from in_context
        group by charge_id
    ),

    parts as (
        select
            charge_id,
            {%- for column in amounts %}
                sum({{ column }}) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from in_context
        where charge_part > 0
        group by charge_id
    )

select charge_id, found.charge_count
from charges
full join found using (charge_id)
where charges.charge_id is null or found.charge_share is distinct from 1
union all
select charge_id, null
from parts
inner join charges using (charge_id)
where
    {%- for column in amounts %}
        parts.{{ column }} is distinct from charges.{{ column }}{{ " or" if not loop.last }}
    {%- endfor %}
union all
-- Every element has the rule that gave it, and no rule gives nothing.
{%- for name in dimension_names() %}
    select charge_id, {{ name }}_rule
    from in_context
    where ({{ name }} is null) <> ({{ name }}_rule is null) {{ "union all" if not loop.last }}
{%- endfor %}
