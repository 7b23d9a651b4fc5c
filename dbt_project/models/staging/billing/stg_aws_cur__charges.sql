{{ config(meta={"has_days": true}) }}
with
    line_items as not materialized(select * from {{ ref("stg_aws_cur__line_items") }}),

    pods as not materialized(select * from {{ ref("stg_aws_cur__pods") }}),

    -- A commitment's fee row has two facts: the fee paid, and the unused part of the commitment. FOCUS
    -- separates them: a Purchase without effective cost, and a charge with status Unused.
    parts as not materialized(
        select
            line_items.*,
            unnest(
                case
                    when line_items.unused_commitment_cost is not null then ['fee', 'unused'] else ['whole']
                end
            ) as part
        from line_items
    ),

    charged as not materialized(
        select
            case
                when parts.part = 'unused'
                then parts.line_item_id || '/unused'
                else coalesce(pods.charge_id, parts.line_item_id)
            end as charge_id,
            parts.x_source_name,
            parts.delivery,
            parts.billing_period,
            parts.provider_name,
            parts.billing_account_id,
            parts.sub_account_id,
            parts.sub_account_name,
            parts.charge_period_start,
            parts.charge_period_end,
            parts.usage_date,
            parts.last_usage_date,
            case when parts.part = 'unused' then 'Usage' else parts.charge_category end as charge_category,
            parts.charge_class,
            parts.charge_description,
            parts.service_name,
            parts.service_category,
            parts.region_id,
            parts.availability_zone,
            parts.resource_id,
            parts.resource_name,
            parts.resource_type,
            parts.sku_id,
            case
                when parts.part <> 'unused' and coalesce(pods.has_quantity, true) then parts.consumed_quantity
            end as consumed_quantity,
            case when parts.part <> 'unused' then parts.consumed_unit end as consumed_unit,
            coalesce(parts.commitment_discount_id, pods.commitment_discount_id) as commitment_discount_id,
            case
                when parts.part = 'unused'
                then 'Unused'
                else coalesce(parts.commitment_discount_status, pods.commitment_discount_status)
            end as commitment_discount_status,
            parts.billing_currency,
            {%- set own_cost = {
                "billed_cost": "case when parts.part = 'unused' then 0 else parts.billed_cost end",
                "effective_cost": "case parts.part when 'unused' then parts.unused_commitment_cost when 'fee' then 0"
                ~ " else parts.covered_or_plain_cost end",
                "contracted_cost": "case when parts.part = 'unused' then 0 else parts.contracted_cost end",
                "list_cost": "case when parts.part = 'unused' then 0 else parts.list_cost end",
                "x_net_effective_cost": "case parts.part when 'unused' then parts.net_unused_commitment_cost when 'fee'"
                ~ " then 0 else parts.net_covered_or_plain_cost end",
            } %}
            {%- for column in cost_columns() %}
                cast(
                    case when pods.split_part = 'unused' then 0 else {{ own_cost[column] }} end
                    + coalesce(pods.{{ column }}, 0) as decimal(38, 12)
                ) as {{ column }},
            {%- endfor %}
            parts.tags,
            parts.cost_categories,
            parts.x_line_item_type,
            parts.x_usage_type,
            parts.x_operation,
            parts.x_service_code,
            parts.x_kubernetes_cluster,
            parts.x_kubernetes_namespace,
            parts.x_kubernetes_workload_type,
            parts.x_kubernetes_workload,
            parts.x_kubernetes_labels,
            case when parts.part = 'whole' then pods.split_part end as x_split_part,
            parts.x_split_parent_id,
            parts.x_landed_file,
            parts.x_landed_row
        from parts
        left join
            pods
            on pods.x_source_name = parts.x_source_name
            and pods.delivery = parts.delivery
            and pods.x_landed_file = parts.x_landed_file
            and pods.x_landed_row = parts.x_landed_row
            and pods.usage_date = parts.usage_date
    )

    {{ spread_over_days("charged") }}
