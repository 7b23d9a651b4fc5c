{{ config(meta={"has_days": true}) }}
-- Already in FOCUS terms: omitted columns are null; stg_focus__costs handles omitted costs.
with
    charged as not materialized(
        select
            concat_ws('/', source_name, delivery, left(md5(landed_file), 8), landed_row) as charge_id,
            source_name as x_source_name,
            delivery,
            billing_period,
            provider_name,
            billing_account_id,
            {{ comparable_id("sub_account_id") }} as sub_account_id,
            sub_account_name,
            covered_from as charge_period_start,
            covered_until as charge_period_end,
            usage_date,
            last_usage_date,
            charge_category,
            charge_class,
            charge_description,
            service_name,
            service_category,
            region_id,
            availability_zone,
            -- Of a charge that the provider split, the resource is the part's.
            {{ comparable_id("coalesce(allocated_resource_id, resource_id)") }} as resource_id,
            coalesce(
                case
                    when allocated_resource_id is not null
                    then coalesce(allocated_resource_name, allocated_resource_id)
                end,
                resource_name,
                resource_id
            ) as resource_name,
            resource_type,
            sku_id,
            consumed_quantity,
            consumed_unit,
            commitment_discount_id,
            commitment_discount_status,
            billing_currency,
            billed_cost,
            effective_cost,
            contracted_cost,
            list_cost,
            -- FOCUS effective cost is net of negotiated discounts.
            effective_cost as x_net_effective_cost,
            -- Files landed before keys were normalized at landing have none.
            coalesce(spelled_tags, {{ with_tag_keys("tags") }}) as tags,
            coalesce(spelled_cost_categories, {{ with_tag_keys("x_cost_categories") }}) as cost_categories,
            x_line_item_type,
            -- What was metered: AWS's extension, else FOCUS's own column.
            coalesce(x_usage_type, sku_meter) as x_usage_type,
            x_operation,
            x_service_code,
            tags['aws:eks:cluster-name'] as x_kubernetes_cluster,
            tags['aws:eks:namespace'] as x_kubernetes_namespace,
            tags['aws:eks:workload-type'] as x_kubernetes_workload_type,
            tags['aws:eks:workload-name'] as x_kubernetes_workload,
            map([], [])::map(varchar, varchar) as x_kubernetes_labels,
            null::varchar as x_split_part,
            case
                when allocated_resource_id is not null then {{ comparable_id("resource_id") }}
            end as x_split_parent_id,
            landed_file as x_landed_file,
            landed_row as x_landed_row
        from {{ ref("stg_focus__costs") }}
    )

    {{ spread_over_days("charged") }}
