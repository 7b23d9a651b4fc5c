-- AWS' bill in FOCUS terms, line by line. The formulas are AWS' own; the comments name the pages of the Cost
-- and Usage Report user guide that they are from: "Line item details", "Reservation details", "Savings Plans
-- details", "Split line item details", "Pricing details" and "Understanding your amortized reservation
-- data" /
-- "Understanding Savings Plans". docs/billing.md has them all as a table.
with
    source as (select * from {{ source("landing", "aws_cur_charges") }}),

    named as (
        select
            *,
            concat_ws('/', source_name, delivery, left(md5(landed_file), 8), landed_row) as line_item_id,
            {{ with_tag_keys("resource_tags", cur_tag_key) }} as tags,
            {{ with_tag_keys("cost_category", cur_tag_key) }} as cost_categories,
            -- Pods and tasks are a second view of the money of the instance that they ran on. A Fargate task
            -- has none: its lines are its own money, also where they name the task itself as the parent.
            coalesce(split_line_item_parent_resource_id <> coalesce(line_item_resource_id, ''), false)
            or coalesce(line_item_operation in ('EKSPod-EC2', 'ECSTask-EC2'), false) as is_split,
            line_item_line_item_type = 'Fee'
            and reservation_reservation_a_r_n is not null as is_reservation_fee,
            line_item_line_item_type = 'Refund'
            and line_item_line_item_description
            like 'Refund for one-time fee for Savings Plan ID%' as is_savings_plan_refund,
            (source_name, delivery)
            in (select x_source_name, delivery from {{ ref("stg_aws_cur__net_bills") }}) as has_net_costs,
            savings_plan_total_commitment_to_date
            - savings_plan_used_commitment as savings_plan_unused_commitment
        from source
    ),

    costed as (
        select
            *,
            -- Line item details, lineItem/UnblendedCost: what the invoice is made of.
            case when is_split then 0 else coalesce(line_item_unblended_cost, 0) end as billed_cost,
            -- What the commitment did not cover: a charge of its own, see stg_aws_cur__charges.
            case
                line_item_line_item_type
                -- Savings Plans details, savingsPlan/TotalCommitmentToDate and UsedCommitment: of this hour.
                when 'SavingsPlanRecurringFee'
                then coalesce(savings_plan_unused_commitment, 0)
                -- Reservation details, reservation/Unused…: both told on the RIFee row, for the whole period.
                when 'RIFee'
                then
                    coalesce(reservation_unused_amortized_upfront_fee_for_billing_period, 0)
                    + coalesce(reservation_unused_recurring_fee, 0)
            end as unused_commitment_cost,
            case
                -- Reservation details: the upfront fee is in the effective costs of the usage that it covers.
                when is_split or is_reservation_fee or is_savings_plan_refund
                then 0
                -- Savings Plans details: likewise; a negation takes the on-demand price of covered usage
                -- back.
                when line_item_line_item_type in ('SavingsPlanNegation', 'SavingsPlanUpfrontFee')
                then 0
                -- Savings Plans details, savingsPlan/SavingsPlanEffectiveCost.
                when line_item_line_item_type = 'SavingsPlanCoveredUsage'
                then coalesce(savings_plan_savings_plan_effective_cost, 0)
                -- Reservation details, reservation/EffectiveCost.
                when line_item_line_item_type = 'DiscountedUsage'
                then coalesce(reservation_effective_cost, 0)
                else coalesce(line_item_unblended_cost, 0)
            end as covered_or_plain_cost,
            -- The same net of discounts: the Net… columns of the same pages, which are there in bills of
            -- accounts
            -- with a discount programme only.
            case
                line_item_line_item_type
                when 'SavingsPlanRecurringFee'
                then {{ net_savings_plan_unused() }}
                when 'RIFee'
                then
                    coalesce(
                        reservation_net_unused_amortized_upfront_fee_for_billing_period,
                        reservation_unused_amortized_upfront_fee_for_billing_period,
                        0
                    )
                    + coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee, 0)
            end as net_unused_commitment_cost,
            case
                when is_split or is_reservation_fee or is_savings_plan_refund
                then 0
                when line_item_line_item_type in ('SavingsPlanNegation', 'SavingsPlanUpfrontFee')
                then 0
                -- Line item details, lineItem/NetUnblendedCost: net costs already hold these discounts.
                when has_net_costs and line_item_line_item_type in ('EdpDiscount', 'PrivateRateDiscount')
                then 0
                when line_item_line_item_type = 'SavingsPlanCoveredUsage'
                then
                    coalesce(
                        savings_plan_net_savings_plan_effective_cost,
                        savings_plan_savings_plan_effective_cost,
                        0
                    )
                when line_item_line_item_type = 'DiscountedUsage'
                then coalesce(reservation_net_effective_cost, reservation_effective_cost, 0)
                else coalesce(line_item_net_unblended_cost, line_item_unblended_cost, 0)
            end as net_covered_or_plain_cost,
            -- Pricing details, pricing/publicOnDemandCost.
            case
                when is_split or line_item_line_item_type = 'SavingsPlanNegation'
                then 0
                else coalesce(pricing_public_on_demand_cost, 0)
            end as list_cost,
            -- FOCUS, ContractedCost: at the negotiated price but without commitments. A reservation's usage
            -- is
            -- billed at 0 and has no such price on the row: its public price is the nearest to it.
            case
                when is_split or line_item_line_item_type = 'SavingsPlanNegation'
                then 0
                when line_item_line_item_type = 'DiscountedUsage'
                then coalesce(pricing_public_on_demand_cost, 0)
                else coalesce(line_item_unblended_cost, 0)
            end as contracted_cost,
            -- Split line item details, splitLineItem/SplitCost, UnusedCost and their Net… forms.
            coalesce(split_line_item_split_cost, 0) as used_split_cost,
            coalesce(split_line_item_unused_cost, 0) as unused_split_cost,
            -- Null without a discount programme: the gross cost says the pod's part then.
            split_line_item_net_split_cost as net_used_split_cost,
            case
                when split_line_item_net_split_cost is not null
                then coalesce(split_line_item_net_unused_cost, split_line_item_unused_cost, 0)
            end as net_unused_split_cost
        from named
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
    line_item_usage_start_date as charge_period_start,
    line_item_usage_end_date as charge_period_end,
    usage_date,
    case
        when
            line_item_line_item_type
            in ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage', 'SavingsPlanNegation')
        then 'Usage'
        when
            line_item_line_item_type
            in ('Fee', 'RIFee', 'SavingsPlanUpfrontFee', 'SavingsPlanRecurringFee', 'FlatRateSubscription')
        then 'Purchase'
        when line_item_line_item_type = 'Tax'
        then 'Tax'
        when line_item_line_item_type in ('Credit', 'Refund')
        then 'Credit'
        -- Discounts, rounding, and whatever AWS adds next: x_line_item_type keeps AWS' own word.
        else 'Adjustment'
    end as charge_category,
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
    -- Negation rows repeat the usage that they cancel.
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
        tags['aws_eks_cluster_name'],
        case when is_split then nullif(split_part(line_item_resource_id, '/', 2), '') end
    ) as x_kubernetes_cluster,
    coalesce(
        tags['aws_eks_namespace'],
        case when is_split then nullif(split_part(line_item_resource_id, '/', 3), '') end
    ) as x_kubernetes_namespace,
    tags['aws_eks_workload_type'] as x_kubernetes_workload_type,
    coalesce(tags['aws_eks_workload_name'], tags['aws_eks_deployment']) as x_kubernetes_workload,
    -- AWS brings a pod's Kubernetes labels as user-defined tags, beside its own aws:eks tags.
    case
        when coalesce(line_item_operation = 'EKSPod-EC2', false)
        then
            coalesce(
                map_from_entries(
                    list_filter(map_entries(tags), lambda tag: not starts_with(tag.key, 'aws_'))
                ),
                {{ no_labels() }}
            )
        else {{ no_labels() }}
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
