{{ config(meta={"dagster": {"ref": {"name": "charges_in_context"}}}) }}
-- Law: a charge is in exactly one element of every dimension (or unmatched), so it is one row in context.
with
    charges as (
        select charge_id
        from {{ ref("charges") }}
        where usage_date in (select usage_date from {{ ref("changed_days") }})
    ),

    in_context as (
        select charge_id, count(*) as row_count
        from {{ ref("charges_in_context") }}
        where usage_date in (select usage_date from {{ ref("changed_days") }})
        group by charge_id
    )

select charge_id, in_context.row_count
from charges
full join in_context using (charge_id)
where in_context.row_count is distinct from 1
union all
-- Every element has the rule that gave it, and no rule gives nothing.
{%- for name in dimension_names() %}
    select charge_id, {{ name }}_rule
    from {{ ref("charges_in_context") }}
    where
        usage_date in (select usage_date from {{ ref("changed_days") }})
        and ({{ name }} is null) <> ({{ name }}_rule is null)
        {{ "union all" if not loop.last }}
{%- endfor %}
