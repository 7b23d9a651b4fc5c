{#
  Money columns of landed charges, per family; `source_amounts` of `billing_days` has their sums over the files. A
  test compares this list with the one used at landing.
#}
{% macro amount_columns(family) -%}
    {%- if family == "focus" -%}
        {{ return(["billed_cost", "effective_cost", "list_cost", "contracted_cost"]) }}
    {%- endif -%}
    {{
        return(
            [
                "line_item_unblended_cost",
                "line_item_net_unblended_cost",
                "pricing_public_on_demand_cost",
                "reservation_effective_cost",
                "reservation_net_effective_cost",
                "reservation_amortized_upfront_fee_for_billing_period",
                "reservation_unused_amortized_upfront_fee_for_billing_period",
                "reservation_unused_recurring_fee",
                "reservation_net_unused_amortized_upfront_fee_for_billing_period",
                "reservation_net_unused_recurring_fee",
                "savings_plan_savings_plan_effective_cost",
                "savings_plan_net_savings_plan_effective_cost",
                "savings_plan_total_commitment_to_date",
                "savings_plan_used_commitment",
                "savings_plan_amortized_upfront_commitment_for_billing_period",
                "savings_plan_recurring_commitment_for_billing_period",
                "savings_plan_net_amortized_upfront_commitment_for_billing_period",
                "savings_plan_net_recurring_commitment_for_billing_period",
                "split_line_item_split_cost",
                "split_line_item_unused_cost",
                "split_line_item_net_split_cost",
                "split_line_item_net_unused_cost",
                "split_line_item_public_on_demand_split_cost",
                "split_line_item_public_on_demand_unused_cost",
            ]
        )
    }}
{%- endmacro %}
