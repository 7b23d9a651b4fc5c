{{ config(meta={"has_days": true}) }}
-- What each line of an AWS bill costs. The formulas are AWS's own, from its Cost and Usage Report user
-- guide: pages "Line item details", "Reservation details", "Savings Plans details", "Split line item
-- details" and "Pricing details"; docs/billing.md has them as a table. Bills without a value that is needed
-- here are rejected at landing.
with
    source as not materialized(
        select
            lines.*,
            coalesce(types.charge_category, 'Adjustment') as charge_category,
            coalesce(types.counts_as, 'billed') as type_counts_as
        from {{ source("landing", "aws_cur_charges") }} as lines
        left join
            {{ ref("aws_line_item_types") }} as types on types.line_item_type = lines.line_item_line_item_type
    ),

    kinds as not materialized(
        select
            *,
            -- Pods and tasks are a second view of their instance's cost. A Fargate task has no instance:
            -- its lines are its own cost, even if they name the task itself as the parent.
            coalesce(split_line_item_parent_resource_id <> coalesce(line_item_resource_id, ''), false)
            or coalesce(line_item_operation in ('EKSPod-EC2', 'ECSTask-EC2'), false) as is_split,
            -- AWS does not amortise reservations of Dedicated Hosts; their amortised columns are empty or
            -- 0. Their lines count as billed.
            coalesce(reservation_reservation_a_r_n like '%:host-reservation/%', false)
            or coalesce(line_item_usage_type like '%HostUsage%', false)
            or coalesce(line_item_usage_type like '%HostBoxUsage%', false)
            or coalesce(product_product_family = 'Dedicated Host', false) as is_host_reservation,
            -- Net columns are empty on some rows, and a report can be in several files: whether costs are
            -- net is a property of the account's bill of the month, not of a row.
            (
                source_name,
                billing_period,
                coalesce(bill_payer_account_id, line_item_usage_account_id, '')
            ) in (
                select (x_source_name, billing_period, billing_account_id)
                from {{ ref("stg_aws_cur__net_bills") }}
            ) as has_net_costs
        from source
    ),

    counted as not materialized(
        select
            *,
            case
                -- Upfront fees of commitments and their refunds, in any month, are part of the effective
                -- cost of the covered usage. Any other refund refunds billed cost.
                when
                    line_item_line_item_type = 'Fee'
                    and reservation_reservation_a_r_n is not null
                    and not is_host_reservation
                then 'upfront fee'
                when
                    line_item_line_item_type = 'Refund'
                    and (
                        reservation_reservation_a_r_n is not null
                        and not is_host_reservation
                        or coalesce(
                            line_item_line_item_description
                            like 'Refund for one-time fee for Savings Plan ID%',
                            false
                        )
                        or savings_plan_savings_plan_a_r_n is not null
                        and coalesce(line_item_product_code like '%SavingsPlans', false)
                    )
                then 'refunded fee'
                when is_host_reservation and type_counts_as in ('reservation usage', 'reservation fee')
                then 'billed'
                else type_counts_as
            end as counts_as
        from kinds
    ),

    -- `unused_…`: the unused part of a commitment, on the row of its fee; null on other rows. `net_…`:
    -- after negotiated discounts, from the Net… columns of the same pages, which only accounts with a
    -- discount programme have.
    costed as not materialized(
        select
            *,
            -- lineItem/UnblendedCost: the invoiced cost.
            case when is_split then 0 else coalesce(line_item_unblended_cost, 0) end as billed_cost,
            case
                counts_as
                -- savingsPlan/TotalCommitmentToDate and UsedCommitment: of this hour.
                when 'savings plan fee'
                then coalesce(savings_plan_total_commitment_to_date - savings_plan_used_commitment, 0)
                -- reservation/Unused…: both on the RIFee row, for the whole period.
                when 'reservation fee'
                then
                    coalesce(reservation_unused_amortized_upfront_fee_for_billing_period, 0)
                    + coalesce(reservation_unused_recurring_fee, 0)
            end as unused_commitment_cost,
            case
                counts_as
                -- AWS has no net column for it: the gross value × the plan's net ÷ gross commitment,
                -- upfront (amortised) and recurring. Gross if there are no net columns.
                when 'savings plan fee'
                then
                    coalesce(
                        {{
                            money_times_ratio(
                                "(savings_plan_total_commitment_to_date - savings_plan_used_commitment)",
                                "(coalesce(savings_plan_net_recurring_commitment_for_billing_period, savings_plan_recurring_commitment_for_billing_period, 0) + coalesce(savings_plan_net_amortized_upfront_commitment_for_billing_period, savings_plan_amortized_upfront_commitment_for_billing_period, 0))",
                                "(coalesce(savings_plan_recurring_commitment_for_billing_period, 0) + coalesce(savings_plan_amortized_upfront_commitment_for_billing_period, 0))",
                            )
                        }},
                        savings_plan_total_commitment_to_date - savings_plan_used_commitment,
                        0
                    )
                when 'reservation fee'
                then
                    coalesce(
                        reservation_net_unused_amortized_upfront_fee_for_billing_period,
                        reservation_unused_amortized_upfront_fee_for_billing_period,
                        0
                    )
                    + coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee, 0)
            end as net_unused_commitment_cost,
            -- Amortised cost of a row other than a commitment fee.
            case
                when is_split or counts_as in ('nothing', 'upfront fee', 'refunded fee')
                then 0
                -- savingsPlan/SavingsPlanEffectiveCost.
                when counts_as = 'savings plan usage'
                then coalesce(savings_plan_savings_plan_effective_cost, 0)
                -- reservation/EffectiveCost.
                when counts_as = 'reservation usage'
                then coalesce(reservation_effective_cost, 0)
                else coalesce(line_item_unblended_cost, 0)
            end as covered_or_plain_cost,
            case
                when
                    is_split
                    or counts_as in ('nothing', 'upfront fee', 'refunded fee')
                    -- lineItem/NetUnblendedCost: net costs already hold these discounts.
                    or has_net_costs
                    and counts_as = 'discount'
                then 0
                when counts_as = 'savings plan usage'
                then
                    coalesce(
                        savings_plan_net_savings_plan_effective_cost,
                        savings_plan_savings_plan_effective_cost,
                        0
                    )
                when counts_as = 'reservation usage'
                then coalesce(reservation_net_effective_cost, reservation_effective_cost, 0)
                else coalesce(line_item_net_unblended_cost, line_item_unblended_cost, 0)
            end as net_covered_or_plain_cost,
            -- Part of upfront fees (paid in any month) included in a month's effective cost but not billed
            -- in it, on the rows of commitment fees.
            case
                counts_as
                when 'savings plan fee'
                then coalesce(savings_plan_amortized_upfront_commitment_for_billing_period, 0)
                when 'reservation fee'
                then coalesce(reservation_amortized_upfront_fee_for_billing_period, 0)
                else 0
            end as amortised_upfront_cost,
            -- pricing/publicOnDemandCost. If AWS gives none: amortised cost for a reservation's usage,
            -- billed cost for other usage, and 0 for commitment fees, whose covered usage has its own list
            -- cost.
            case
                when is_split or counts_as = 'nothing'
                then 0
                when pricing_public_on_demand_cost is not null
                then pricing_public_on_demand_cost
                when type_counts_as = 'reservation usage'
                then coalesce(reservation_effective_cost, line_item_unblended_cost, 0)
                when type_counts_as in ('savings plan fee', 'reservation fee') or counts_as = 'upfront fee'
                then 0
                else coalesce(line_item_unblended_cost, 0)
            end as list_cost,
            -- FOCUS, ContractedCost: at the negotiated price, without commitments. A reservation's usage is
            -- billed at 0 without such a price on the row; its list cost comes closest.
            case
                when is_split or counts_as = 'nothing'
                then 0
                when type_counts_as = 'reservation usage'
                then
                    coalesce(
                        pricing_public_on_demand_cost, reservation_effective_cost, line_item_unblended_cost, 0
                    )
                else coalesce(line_item_unblended_cost, 0)
            end as contracted_cost
        from counted
    )

select
    *,
    -- Of the whole line: a commitment's fee counts as 0, its unused part counts.
    case
        when is_split then 0 else coalesce(unused_commitment_cost, covered_or_plain_cost)
    end as effective_cost,
    case
        when is_split then 0 else coalesce(net_unused_commitment_cost, net_covered_or_plain_cost)
    end as x_net_effective_cost
from costed
