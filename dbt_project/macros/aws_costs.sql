{#
  Cost formulas of AWS bill lines, as expressions over the landed columns of `aws_cur_charges`; `docs/billing.md`
  lists them as a table. They are AWS's own, from its Cost and Usage Report user guide: pages "Line item details",
  "Reservation details", "Savings Plans details", "Split line item details" and "Pricing details". Bills without a
  required value are rejected at landing, see `orchestration/sources/billing/required_costs.py`.
#}
{#
  Pods and tasks are a second view of their instance's cost. A Fargate task has no instance: its lines are its own
  cost, even if they name the task itself as the parent.
#}
{% macro aws_is_split() -%}
    (
        coalesce(split_line_item_parent_resource_id <> coalesce(line_item_resource_id, ''), false)
        or coalesce(line_item_operation in ('EKSPod-EC2', 'ECSTask-EC2'), false)
    )
{%- endmacro %}

{#
  Reservation details: AWS does not amortise reservations of Dedicated Hosts; their amortised columns are empty or 0.
  Their lines count as billed.
#}
{% macro aws_is_host_reservation() -%}
    (
        coalesce(reservation_reservation_a_r_n like '%:host-reservation/%', false)
        or coalesce(line_item_usage_type like '%HostUsage%', false)
        or coalesce(line_item_usage_type like '%HostBoxUsage%', false)
        or coalesce(product_product_family = 'Dedicated Host', false)
    )
{%- endmacro %}

{#
  Upfront fees of commitments and their refunds, in any month: they are part of the effective cost of the covered
  usage. Any other refund refunds billed cost.
#}
{% macro aws_is_upfront_fee() -%}
    (
        line_item_line_item_type = 'SavingsPlanUpfrontFee'
        or line_item_line_item_type = 'Fee'
        and reservation_reservation_a_r_n is not null
        and not {{ aws_is_host_reservation() }}
    )
{%- endmacro %}

{% macro aws_is_refunded_fee() -%}
    (
        line_item_line_item_type = 'Refund'
        and (
            reservation_reservation_a_r_n is not null
            and not {{ aws_is_host_reservation() }}
            or coalesce(
                line_item_line_item_description like 'Refund for one-time fee for Savings Plan ID%', false
            )
            or savings_plan_savings_plan_a_r_n is not null
            and coalesce(line_item_product_code like '%SavingsPlans', false)
        )
    )
{%- endmacro %}

{# Line item details, lineItem/UnblendedCost: the invoiced cost. #}
{% macro aws_billed_cost() -%}
    case when {{ aws_is_split() }} then 0 else coalesce(line_item_unblended_cost, 0) end
{%- endmacro %}

{#
  Unused part of a commitment, on the row of its fee; null on other rows. `net` is after negotiated discounts: the
  Net… columns of the same pages, which only accounts with a discount programme have.
#}
{% macro aws_unused_commitment_cost(net=false) -%}
    case
        -- Savings Plans details, savingsPlan/TotalCommitmentToDate and UsedCommitment: of this hour.
        when line_item_line_item_type = 'SavingsPlanRecurringFee'
        then
            {%- if net %} {{ net_savings_plan_unused() }}
            {%- else %} coalesce(savings_plan_total_commitment_to_date - savings_plan_used_commitment, 0)
            {%- endif %}
        -- Reservation details, reservation/Unused…: both on the RIFee row, for the whole period.
        when line_item_line_item_type = 'RIFee' and not {{ aws_is_host_reservation() }}
        then
            {%- for column in ["unused_amortized_upfront_fee_for_billing_period", "unused_recurring_fee"] %}
                coalesce({{ "reservation_net_" ~ column ~ ", " if net }}reservation_{{ column }}, 0)
                {{- " +" if not loop.last }}
            {%- endfor %}
    end
{%- endmacro %}

{# Amortised cost of a row other than a commitment fee. `has_net_costs` is a property of the bill. #}
{% macro aws_covered_or_plain_cost(net=false) -%}
    case
        when {{ aws_is_split() }} or {{ aws_is_upfront_fee() }} or {{ aws_is_refunded_fee() }}
        then 0
        -- Savings Plans details: a negation takes the on-demand price of covered usage back.
        when line_item_line_item_type = 'SavingsPlanNegation'
        then 0
        {%- if net %}
            -- Line item details, lineItem/NetUnblendedCost: net costs already hold these discounts.
            when has_net_costs and line_item_line_item_type in ('EdpDiscount', 'PrivateRateDiscount') then 0
        {%- endif %}
        -- Savings Plans details, savingsPlan/SavingsPlanEffectiveCost.
        when line_item_line_item_type = 'SavingsPlanCoveredUsage'
        then
            coalesce(
                {{ "savings_plan_net_savings_plan_effective_cost, " if net -}}
                savings_plan_savings_plan_effective_cost,
                0
            )
        -- Reservation details, reservation/EffectiveCost.
        when line_item_line_item_type = 'DiscountedUsage' and not {{ aws_is_host_reservation() }}
        then coalesce({{ "reservation_net_effective_cost, " if net }}reservation_effective_cost, 0)
        else coalesce({{ "line_item_net_unblended_cost, " if net }}line_item_unblended_cost, 0)
    end
{%- endmacro %}

{# Effective cost of a whole line: a commitment's fee counts as 0, its unused part counts. #}
{% macro aws_effective_cost(net=false) -%}
    coalesce({{ aws_unused_commitment_cost(net) }}, {{ aws_covered_or_plain_cost(net) }})
{%- endmacro %}

{#
  Part of upfront fees (paid in any month) included in a month's effective cost but not billed in it, on the rows of
  commitment fees.
#}
{% macro aws_amortised_upfront_cost() -%}
    case
        when line_item_line_item_type = 'SavingsPlanRecurringFee'
        then coalesce(savings_plan_amortized_upfront_commitment_for_billing_period, 0)
        when line_item_line_item_type = 'RIFee' and not {{ aws_is_host_reservation() }}
        then coalesce(reservation_amortized_upfront_fee_for_billing_period, 0)
        else 0
    end
{%- endmacro %}

{#
  Pricing details, pricing/publicOnDemandCost. If AWS gives none: amortised cost for a reservation's usage, billed
  cost for other usage, and 0 for commitment fees, whose covered usage has its own list cost.
#}
{% macro aws_list_cost() -%}
    case
        when {{ aws_is_split() }} or line_item_line_item_type = 'SavingsPlanNegation'
        then 0
        when pricing_public_on_demand_cost is not null
        then pricing_public_on_demand_cost
        when line_item_line_item_type = 'DiscountedUsage'
        then coalesce(reservation_effective_cost, line_item_unblended_cost, 0)
        when line_item_line_item_type in ('SavingsPlanRecurringFee', 'RIFee') or {{ aws_is_upfront_fee() }}
        then 0
        else coalesce(line_item_unblended_cost, 0)
    end
{%- endmacro %}

{#
  FOCUS, ContractedCost: at the negotiated price, without commitments. A reservation's usage is billed at 0 without
  such a price on the row; its list cost comes closest.
#}
{% macro aws_contracted_cost() -%}
    case
        when {{ aws_is_split() }} or line_item_line_item_type = 'SavingsPlanNegation'
        then 0
        when line_item_line_item_type = 'DiscountedUsage'
        then coalesce(pricing_public_on_demand_cost, reservation_effective_cost, line_item_unblended_cost, 0)
        else coalesce(line_item_unblended_cost, 0)
    end
{%- endmacro %}

{#
  Condition on landed lines: the bill of this account and month has net costs. They are empty on some rows, and a
  report can be in several files: whether costs are net is a property of the month's bill, not of a row.
#}
{% macro aws_has_net_costs() -%}
    (source_name, billing_period, coalesce(bill_payer_account_id, line_item_usage_account_id, ''))
    in (select (x_source_name, billing_period, billing_account_id) from {{ ref("stg_aws_cur__net_bills") }})
{%- endmacro %}
