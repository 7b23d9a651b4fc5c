-- depends on: {{ ref("stg_opencost__charge_parts") }}
with
    bill as (
        select * exclude (delivery)
        from {{ ref("stg_aws_cur__charges") }}
        union all by name
        select * exclude (delivery)
        from {{ ref("stg_focus__charges") }}
    )

select *
from bill
{%- if nodes_are_divided() %}
    where charge_id not in (select whole_charge_id from {{ ref("stg_opencost__charge_parts") }})
    union all by name
    -- What the bill says of a node stays with each of its parts; whose part it is comes from OpenCost.
    select
        bill.* exclude (
            {{ divided_columns() | join(", ") }},
            charge_id,
            resource_name,
            x_kubernetes_cluster,
            x_kubernetes_namespace,
            x_kubernetes_workload_type,
            x_kubernetes_workload,
            x_kubernetes_labels,
            x_split_part,
            x_split_parent_id
        ),
        parts.part_charge_id as charge_id,
        {%- for column in divided_columns() %} parts.part_{{ column }} as {{ column }}, {%- endfor %}
        parts.part_pod as resource_name,
        parts.part_cluster as x_kubernetes_cluster,
        parts.part_namespace as x_kubernetes_namespace,
        parts.part_workload_type as x_kubernetes_workload_type,
        parts.part_workload as x_kubernetes_workload,
        parts.part_labels as x_kubernetes_labels,
        case when parts.part_is_idle then 'unused' else 'used' end as x_split_part,
        bill.resource_id as x_split_parent_id
    from bill
    inner join {{ ref("stg_opencost__charge_parts") }} as parts on parts.whole_charge_id = bill.charge_id
{%- endif %}
