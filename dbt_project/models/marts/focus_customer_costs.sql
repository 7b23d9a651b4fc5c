-- Each customer's cost as a FOCUS dataset. A row is a share of a day's pools, so columns about resources,
-- prices and commitments are omitted, as FOCUS allows for unsupported features. A view over
-- customer_costs_daily.
select
    shares.billed_cost as "BilledCost",
    coalesce(shares.billing_account_id, 'unknown') as "BillingAccountId",
    cast(null as varchar) as "BillingAccountName",
    shares.billing_currency as "BillingCurrency",
    shares.billing_month + interval 1 month as "BillingPeriodEnd",
    cast(shares.billing_month as timestamp) as "BillingPeriodStart",
    shares.charge_category as "ChargeCategory",
    shares.charge_class as "ChargeClass",
    case
        when shares.customer_id = 'unallocated'
        then shares.service_name || ', carried by no customer: ' || shares.unallocated_reason
        else shares.service_name || ', share of ' || shares.customer_id || ' by ' || shares.allocation_kind
    end as "ChargeDescription",
    cast(shares.usage_date + interval 1 day as timestamp) as "ChargePeriodEnd",
    cast(shares.usage_date as timestamp) as "ChargePeriodStart",
    shares.contracted_cost as "ContractedCost",
    shares.effective_cost as "EffectiveCost",
    shares.provider_name as "InvoiceIssuerName",
    shares.list_cost as "ListCost",
    -- The priced item is the share itself; FOCUS requires a quantity for usage and purchases only.
    case
        when shares.charge_category in ('Usage', 'Purchase') then cast(1 as decimal(38, 12))
    end as "PricingQuantity",
    case when shares.charge_category in ('Usage', 'Purchase') then 'Shares' end as "PricingUnit",
    shares.provider_name as "ProviderName",
    shares.provider_name as "PublisherName",
    shares.service_category as "ServiceCategory",
    shares.service_name as "ServiceName",
    -- The customer and its elements; unmatched dimensions have no tag.
    cast(
        json_merge_patch(
            json_object('customer', shares.customer_id),
            json_object(
                {%- for name in dimension_names() %}
                    '{{ name }}', shares.{{ name }}{{ "," if not loop.last }}
                {%- endfor %}
            )
        ) as varchar
    ) as "Tags",
    shares.allocation_kind as "x_AllocationKind",
    shares.customer_id as "x_CustomerId",
    shares.x_net_effective_cost as "x_NetEffectiveCost",
    shares.x_source_name as "x_SourceName",
    shares.unallocated_reason as "x_UnallocatedReason"
from {{ ref("customer_costs_daily") }} as shares
