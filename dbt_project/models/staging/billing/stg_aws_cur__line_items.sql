{{ config(meta={"has_days": true}) }}
-- The AWS bill in FOCUS terms, line by line. Cost formulas are in stg_aws_cur__costs.
with
    costed as not materialized(
        select
            *,
            concat_ws('/', source_name, delivery, left(md5(landed_file), 8), landed_row) as line_item_id,
            -- Files landed before keys were normalized at landing have none.
            coalesce(spelled_tags, {{ with_tag_keys("resource_tags", of_cur=true) }}) as tags,
            coalesce(
                spelled_cost_categories, {{ with_tag_keys("cost_category", of_cur=true) }}
            ) as cost_categories,
            -- Split line item details, splitLineItem/SplitCost, UnusedCost and their Net… forms.
            coalesce(split_line_item_split_cost, 0) as used_split_cost,
            coalesce(split_line_item_unused_cost, 0) as unused_split_cost,
            -- Null without a discount programme: the gross cost determines the pod's part then.
            split_line_item_net_split_cost as net_used_split_cost,
            case
                when split_line_item_net_split_cost is not null
                then coalesce(split_line_item_net_unused_cost, split_line_item_unused_cost, 0)
            end as net_unused_split_cost
        from {{ ref("stg_aws_cur__costs") }}
    )

select
    line_item_id,
    source_name as x_source_name,
    delivery,
    billing_period,
    'AWS' as provider_name,
    bill_payer_account_id as billing_account_id,
    line_item_usage_account_id as sub_account_id,
    line_item_usage_account_name as sub_account_name,
    covered_from as charge_period_start,
    covered_until as charge_period_end,
    usage_date,
    last_usage_date,
    charge_category,
    case when line_item_line_item_type = 'Refund' then 'Correction' end as charge_class,
    line_item_line_item_description as charge_description,
    coalesce(product_product_name, product['product_name'], line_item_product_code) as service_name,
    product_product_family as service_category,
    coalesce(product_region_code, product['region'], product_region, product['region_code']) as region_id,
    line_item_availability_zone as availability_zone,
    line_item_resource_id as resource_id,
    coalesce(tags['name'], line_item_resource_id) as resource_name,
    product_product_family as resource_type,
    product_sku as sku_id,
    -- Negation rows repeat the usage they cancel.
    case
        when line_item_line_item_type <> 'SavingsPlanNegation' then line_item_usage_amount
    end as consumed_quantity,
    case when line_item_line_item_type <> 'SavingsPlanNegation' then pricing_unit end as consumed_unit,
    coalesce(savings_plan_savings_plan_a_r_n, reservation_reservation_a_r_n) as commitment_discount_id,
    case
        when line_item_line_item_type in ('DiscountedUsage', 'SavingsPlanCoveredUsage') then 'Used'
    end as commitment_discount_status,
    line_item_currency_code as billing_currency,
    billed_cost,
    covered_or_plain_cost,
    unused_commitment_cost,
    net_covered_or_plain_cost,
    net_unused_commitment_cost,
    contracted_cost,
    list_cost,
    tags,
    cost_categories,
    line_item_line_item_type as x_line_item_type,
    line_item_usage_type as x_usage_type,
    line_item_operation as x_operation,
    line_item_product_code as x_service_code,
    -- A pod's resource id is …/cluster/namespace/pod/uid.
    coalesce(
        tags['awseksclustername'],
        case when is_split then nullif(split_part(line_item_resource_id, '/', 2), '') end
    ) as x_kubernetes_cluster,
    coalesce(
        tags['awseksnamespace'],
        case when is_split then nullif(split_part(line_item_resource_id, '/', 3), '') end
    ) as x_kubernetes_namespace,
    tags['awseksworkloadtype'] as x_kubernetes_workload_type,
    coalesce(tags['awseksworkloadname'], tags['awseksdeployment']) as x_kubernetes_workload,
    -- AWS reports a pod's Kubernetes labels as user-defined tags, next to its own aws:eks tags.
    case
        when coalesce(line_item_operation = 'EKSPod-EC2', false)
        then
            coalesce(
                map_from_entries(
                    list_filter(map_entries(tags), lambda tag: not starts_with(tag.key, 'aws_'))
                ),
                map([], [])::map(varchar, varchar)
            )
        else map([], [])::map(varchar, varchar)
    end as x_kubernetes_labels,
    split_line_item_parent_resource_id as x_split_parent_id,
    is_split,
    used_split_cost,
    unused_split_cost,
    net_used_split_cost,
    net_unused_split_cost,
    landed_file as x_landed_file,
    landed_row as x_landed_row
from costed
