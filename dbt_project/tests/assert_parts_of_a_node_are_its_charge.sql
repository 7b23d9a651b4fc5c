{{ config(meta={"dagster": {"ref": {"name": "stg_opencost__charge_parts"}}}) }}
-- Law: the parts of a charge divided by OpenCost shares sum to the charge, in every cost column.
with
    bill as (
        {%- for charges in ["stg_aws_cur__charges", "stg_focus__charges"] %}
            select charge_id, {{ cost_columns() | join(", ") }}
            from {{ ref(charges) }}
            where
                charge_id in (select whole_charge_id from {{ ref("stg_opencost__charge_parts") }})
                {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    parts as (
        select
            whole_charge_id,
            {%- for column in cost_columns() %}
                sum(part_{{ column }}) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ ref("stg_opencost__charge_parts") }}
        group by whole_charge_id
    )

select parts.whole_charge_id
from parts
left join bill on parts.whole_charge_id = bill.charge_id
where
    {%- for column in cost_columns() %}
        parts.{{ column }} is distinct from bill.{{ column }}{{ " or" if not loop.last }}
    {%- endfor %}
