"""The columns of AWS' bills that decide what a line costs, by both of their names."""

from __future__ import annotations

# AWS' name in a legacy CSV → the name in Parquet.
TEXTS = {
    "lineItem/LineItemType": "line_item_line_item_type",
    "lineItem/CurrencyCode": "line_item_currency_code",
    "lineItem/ProductCode": "line_item_product_code",
    "lineItem/UsageType": "line_item_usage_type",
    "lineItem/Operation": "line_item_operation",
    "lineItem/ResourceId": "line_item_resource_id",
    "lineItem/LineItemDescription": "line_item_line_item_description",
    "reservation/ReservationARN": "reservation_reservation_a_r_n",
    "splitLineItem/ParentResourceId": "split_line_item_parent_resource_id",
}
AMOUNTS = {
    "lineItem/UnblendedCost": "line_item_unblended_cost",
    "pricing/publicOnDemandCost": "pricing_public_on_demand_cost",
    "reservation/EffectiveCost": "reservation_effective_cost",
    "reservation/AmortizedUpfrontFeeForBillingPeriod": "reservation_amortized_upfront_fee_for_billing_period",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": (
        "reservation_unused_amortized_upfront_fee_for_billing_period"
    ),
    "reservation/UnusedRecurringFee": "reservation_unused_recurring_fee",
    "savingsPlan/SavingsPlanEffectiveCost": "savings_plan_savings_plan_effective_cost",
    "savingsPlan/TotalCommitmentToDate": "savings_plan_total_commitment_to_date",
    "savingsPlan/UsedCommitment": "savings_plan_used_commitment",
    "savingsPlan/RecurringCommitmentForBillingPeriod": "savings_plan_recurring_commitment_for_billing_period",
    "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod": (
        "savings_plan_amortized_upfront_commitment_for_billing_period"
    ),
    "splitLineItem/SplitCost": "split_line_item_split_cost",
    "splitLineItem/UnusedCost": "split_line_item_unused_cost",
}
NET_AMOUNTS = (
    "line_item_net_unblended_cost",
    "reservation_net_effective_cost",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    "reservation_net_unused_recurring_fee",
    "savings_plan_net_savings_plan_effective_cost",
    "savings_plan_net_recurring_commitment_for_billing_period",
    "savings_plan_net_amortized_upfront_commitment_for_billing_period",
    "split_line_item_net_split_cost",
    "split_line_item_net_unused_cost",
)
