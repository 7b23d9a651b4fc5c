{{ config(meta={"dagster": {"ref": {"name": "focus_customer_costs"}}}) }}
-- Law: the FOCUS rows of a day sum to its bill, in every cost column.
with
    bill as (
        select usage_date, billing_period, billing_currency, x_source_name, {{ sum_of_cost_columns() }}
        from {{ ref("staged_costs") }}
        group by all
    ),

    focus_rows as (
        select
            cast("ChargePeriodStart" as date) as usage_date,
            strftime("BillingPeriodStart", '%Y-%m') as billing_period,
            "BillingCurrency" as billing_currency,
            "x_SourceName" as x_source_name,
            sum("BilledCost") as billed_cost,
            sum("EffectiveCost") as effective_cost,
            sum("ContractedCost") as contracted_cost,
            sum("ListCost") as list_cost,
            sum("x_NetEffectiveCost") as x_net_effective_cost
        from {{ ref("focus_customer_costs") }}
        group by all
    )

select *
from bill
full join focus_rows using (usage_date, billing_period, billing_currency, x_source_name)
where
    {%- for column in cost_columns() %}
        cast(bill.{{ column }} as decimal(38, 24))
        is distinct from focus_rows.{{ column }} {{ "or" if not loop.last }}
    {%- endfor %}
