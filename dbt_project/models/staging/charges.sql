with bill as not materialized({{ billed_charges() }})

-- Each part keeps the bill's attributes of the node; OpenCost says whose part it is.
select
    bill.* exclude (delivery) replace (
        coalesce(parts.part_charge_id, bill.charge_id) as charge_id,
        {%- for column in cost_columns() + ["consumed_quantity"] %}
            case
                when parts.part_charge_id is null then bill.{{ column }} else parts.part_{{ column }}
            end as {{ column }},
        {%- endfor %}
        {%- for column, part in {
            "resource_name": "parts.part_pod",
            "x_kubernetes_cluster": "parts.part_cluster",
            "x_kubernetes_namespace": "parts.part_namespace",
            "x_kubernetes_workload_type": "parts.part_workload_type",
            "x_kubernetes_workload": "parts.part_workload",
            "x_kubernetes_labels": "parts.part_labels",
            "x_split_part": "case when parts.part_is_idle then 'unused' else 'used' end",
            "x_split_parent_id": "bill.resource_id",
        }.items() %}
            case when parts.part_charge_id is null then bill.{{ column }} else {{ part }} end as {{ column }}
            {{- "," if not loop.last }}
        {%- endfor %}
    )
from bill
left join
    {{ ref("stg_opencost__charge_parts") }} as parts
    on parts.x_source_name = bill.x_source_name
    and parts.delivery = bill.delivery
    and parts.x_landed_file = bill.x_landed_file
    and parts.x_landed_row = bill.x_landed_row
    and parts.usage_date = bill.usage_date
    and parts.charge_category = bill.charge_category
