{{ config(meta={"dagster": {"ref": {"name": "charges_in_context"}}}) }}
-- Law: a charge is in exactly one element of every dimension (or unmatched), so it is one row in
-- context; one that is split is there in parts, which are the whole in their shares and in every
-- amount. Every element has the rule that gave it, and no rule gives nothing. That no charge is lost,
-- reconciliation shows.
{%- set amounts = cost_columns() + ["consumed_quantity"] %}
with
    found as (
        select
            charge_id,
            usage_date,
            count(*) as part_count,
            count(distinct charge_part) as part_numbers,
            sum(charge_share) as charge_share,
            bool_or(charge_part > 0) as is_split,
            bool_or(
                cost_of_goods_sold is null
                {%- for name in dimension_names() %}
                    or ({{ name }} is null) <> ({{ name }}_rule is null)
                {%- endfor %}
            ) as is_unclear,
            {%- for column in amounts %}
                sum({{ column }}) filter (charge_part > 0) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ ref("charges_in_context") }}
        group by charge_id, usage_date
    ),

    split as (select * from found where is_split)

select charge_id, part_count, charge_share
from found
where charge_share is distinct from 1 or part_numbers <> part_count or is_unclear
union all
select charge_id, split.part_count, split.charge_share
from split
left join {{ ref("charges") }} as charges using (charge_id, usage_date)
where
    {%- for column in amounts %}
        split.{{ column }} is distinct from charges.{{ column }}{{ " or" if not loop.last }}
    {%- endfor %}
