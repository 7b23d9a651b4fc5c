{{
    config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="{{ delete_changed_days() }}",
    )
}}
-- The bill's sums, taken another way than staging takes them: raw columns are summed by line item type
-- first, and the formulas applied to the sums. Reconciliation starts here.
with
    aws_cur_net_bills as (
        select source_name as x_source_name, delivery, true as has_net_costs
        from {{ source("landing", "aws_cur_charges") }}
        where {{ in_changed_deliveries("aws_cur") }}
        group by all
        having count(line_item_net_unblended_cost) > 0
    ),

    aws_cur_sums as (
        select
            source_name as x_source_name,
            delivery,
            billing_period,
            line_item_currency_code as billing_currency,
            usage_date,
            line_item_line_item_type as line_item_type,
            coalesce(split_line_item_parent_resource_id <> coalesce(line_item_resource_id, ''), false)
            or coalesce(line_item_operation in ('EKSPod-EC2', 'ECSTask-EC2'), false) as is_split,
            line_item_line_item_type = 'Fee'
            and reservation_reservation_a_r_n is not null
            or line_item_line_item_type = 'Refund'
            and line_item_line_item_description
            like 'Refund for one-time fee for Savings Plan ID%' as is_upfront,
            sum(coalesce(line_item_unblended_cost, 0)) as unblended,
            sum(coalesce(line_item_net_unblended_cost, line_item_unblended_cost, 0)) as net_unblended,
            sum(coalesce(pricing_public_on_demand_cost, 0)) as public_on_demand,
            sum(coalesce(savings_plan_savings_plan_effective_cost, 0)) as savings_plan_effective,
            sum(
                coalesce(
                    savings_plan_net_savings_plan_effective_cost, savings_plan_savings_plan_effective_cost, 0
                )
            ) as net_savings_plan_effective,
            sum(
                coalesce(savings_plan_total_commitment_to_date - savings_plan_used_commitment, 0)
            ) as savings_plan_unused,
            -- The one formula that is no sum of columns: it is taken row by row here too.
            sum({{ net_savings_plan_unused() }}) as net_savings_plan_unused,
            sum(coalesce(reservation_effective_cost, 0)) as reservation_effective,
            sum(
                coalesce(reservation_net_effective_cost, reservation_effective_cost, 0)
            ) as net_reservation_effective,
            sum(coalesce(reservation_unused_amortized_upfront_fee_for_billing_period, 0))
            + sum(coalesce(reservation_unused_recurring_fee, 0)) as reservation_unused,
            sum(
                coalesce(
                    reservation_net_unused_amortized_upfront_fee_for_billing_period,
                    reservation_unused_amortized_upfront_fee_for_billing_period,
                    0
                )
            ) + sum(
                coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee, 0)
            ) as net_reservation_unused
        from {{ source("landing", "aws_cur_charges") }}
        where {{ in_changed_deliveries("aws_cur") }} and {{ in_changed_days() }}
        group by all
    ),

    aws_cur_costs as (
        select
            x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            sum(case when not is_split then unblended else 0 end) as billed_cost,
            sum(case when is_split then unblended else 0 end) as billed_again_for_pods,
            sum(
                case
                    when is_split or is_upfront
                    then 0
                    else
                        case
                            line_item_type
                            when 'SavingsPlanNegation'
                            then 0
                            when 'SavingsPlanUpfrontFee'
                            then 0
                            when 'SavingsPlanCoveredUsage'
                            then savings_plan_effective
                            when 'SavingsPlanRecurringFee'
                            then savings_plan_unused
                            when 'DiscountedUsage'
                            then reservation_effective
                            when 'RIFee'
                            then reservation_unused
                            else unblended
                        end
                end
            ) as effective_cost,
            sum(
                case
                    when is_split or line_item_type = 'SavingsPlanNegation'
                    then 0
                    when line_item_type = 'DiscountedUsage'
                    then public_on_demand
                    else unblended
                end
            ) as contracted_cost,
            sum(
                case when is_split or line_item_type = 'SavingsPlanNegation' then 0 else public_on_demand end
            ) as list_cost,
            sum(
                case
                    when is_split or is_upfront
                    then 0
                    when has_net_costs and line_item_type in ('EdpDiscount', 'PrivateRateDiscount')
                    then 0
                    else
                        case
                            line_item_type
                            when 'SavingsPlanNegation'
                            then 0
                            when 'SavingsPlanUpfrontFee'
                            then 0
                            when 'SavingsPlanCoveredUsage'
                            then net_savings_plan_effective
                            when 'SavingsPlanRecurringFee'
                            then net_savings_plan_unused
                            when 'DiscountedUsage'
                            then net_reservation_effective
                            when 'RIFee'
                            then net_reservation_unused
                            else net_unblended
                        end
                end
            ) as x_net_effective_cost
        from aws_cur_sums
        left join aws_cur_net_bills using (x_source_name, delivery)
        group by all
    ),

    focus_costs as (
        select
            source_name as x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            sum(coalesce(billed_cost, 0)) as billed_cost,
            sum(coalesce(effective_cost, 0)) as effective_cost,
            sum(coalesce(contracted_cost, 0)) as contracted_cost,
            sum(coalesce(list_cost, 0)) as list_cost,
            sum(coalesce(effective_cost, 0)) as x_net_effective_cost,
            0 as billed_again_for_pods
        from {{ source("landing", "focus_charges") }}
        where {{ in_changed_deliveries("focus") }} and {{ in_changed_days() }}
        group by all
    ),

    costs as (
        select *
        from aws_cur_costs
        union all by name
        select *
        from focus_costs
    ),

    delivered as (
        select
            source_name as x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            sum(source_billed_cost) as source_billed_cost
            {%- for column in ["effective_cost", "contracted_cost", "list_cost"] %}
                ,
                case
                    when bool_and(family = 'focus' and source_amounts is not null)
                    then sum(coalesce(source_amounts['{{ column }}'], 0))
                end as source_{{ column }}
            {%- endfor %}
        from {{ source("landing", "billing_days") }}
        where {{ in_changed_days() }}
        group by all
    ),

    landed as (
        select
            x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            {{ sum_of_cost_columns() }},
            sum(billed_again_for_pods) as billed_again_for_pods
        from costs
        group by all
    )

-- A full join: a day that was delivered but not landed has no landed cost, and shows as a difference.
select
    coalesce(landed.x_source_name, delivered.x_source_name) as x_source_name,
    coalesce(landed.billing_period, delivered.billing_period) as billing_period,
    coalesce(landed.billing_currency, delivered.billing_currency) as billing_currency,
    coalesce(landed.usage_date, delivered.usage_date) as usage_date,
    landed.billed_cost,
    landed.effective_cost,
    landed.contracted_cost,
    landed.list_cost,
    landed.x_net_effective_cost,
    -- The file's own sum counts what its rows of pods and tasks bill, which their instances bill already.
    cast(
        delivered.source_billed_cost - coalesce(landed.billed_again_for_pods, 0) as decimal(38, 12)
    ) as source_billed_cost,
    -- A file in FOCUS has every cost column; AWS' formulas make them of the columns in landed_amounts.
    cast(delivered.source_effective_cost as decimal(38, 12)) as source_effective_cost,
    cast(delivered.source_contracted_cost as decimal(38, 12)) as source_contracted_cost,
    cast(delivered.source_list_cost as decimal(38, 12)) as source_list_cost
from landed
full join
    delivered
    on delivered.x_source_name = landed.x_source_name
    and delivered.billing_period = landed.billing_period
    and delivered.billing_currency = landed.billing_currency
    and delivered.usage_date = landed.usage_date
