-- Each customer's cost as a FOCUS dataset. A row is a share of a day's pools, so columns about resources,
-- prices and commitments are omitted, as FOCUS allows for unsupported features. In 1.2 a view over
-- customer_costs_daily; since 1.3 over pools and shares, as a row has one method.
{%- set version = var("focus_version") %}
with
    shares as (
        {%- if version == "1.2" %}
            select *, cast(usage_date as timestamp) as starts_at, interval 1 day as duration
            from {{ ref("customer_costs_daily") }}
        {%- else %}
            select
                pools.* exclude (cost_hour, service_category, {{ cost_columns() | join(", ") }}),
                cast(pools.billing_period || '-01' as date) as billing_month,
                coalesce(pools.usage_hour, cast(pools.usage_date as timestamp)) as starts_at,
                case when pools.usage_hour is null then interval 1 day else interval 1 hour end as duration,
                coalesce(services.service_category, 'Other') as service_category,
                shares.customer_id,
                shares.share,
                shares.unallocated_reason,
                case
                    when shares.unallocated_reason is null then sets.allocation_kind else 'unallocated'
                end as allocation_kind,
                case when shares.unallocated_reason is null then shares.customer_id end as allocated_to,
                customers.customer_name,
                -- What the share is the share of, if it is one quantity.
                case
                    when shares.carried_cost is not null then sets.billing_currency else rules.unit
                end as usage_unit,
                coalesce(shares.carried_cost, shares.usage_quantity) as usage_quantity,
                {%- for column in cost_columns() %}
                    pools.{{ column }} * shares.share as {{ column }}{{ "," if not loop.last }}
                {%- endfor %}
            from
                (
                    select
                        * replace (
                            {%- for column in cost_columns() %}
                                sum({{ column }}) over pool as {{ column }}{{ "," if not loop.last }}
                            {%- endfor %}
                        )
                    from {{ ref("cost_pools") }}
                    window pool as (partition by usage_date, pool_id)
                    qualify row_number() over (partition by usage_date, pool_id order by cost_hour) = 1
                ) as pools
            inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
            inner join {{ ref("shares") }} as shares using (usage_date, share_set_id)
            left join
                (
                    select
                        rules.rule_name as allocation_rule,
                        case when count(*) = 1 then any_value(streams.unit) end as unit
                    from {{ ref("allocation_rules") }} as rules
                    left join {{ ref("telemetry_streams") }} as streams using (stream)
                    group by all
                ) as rules
                on rules.allocation_rule = pools.allocation_rule
            left join
                ({{ service_categories_by_day() }}) as services
                on services.usage_date = pools.usage_date
                and services.service_name is not distinct from pools.service_name
            left join {{ ref("customers") }} as customers on customers.customer_id = shares.customer_id
        {%- endif %}
    )

select
    {%- if version != "1.2" %}
        -- Numbers with all their digits: a JSON function would make them floats.
        case
            when allocation_rule is not null
            then
                concat(
                    '{"Elements":[{"AllocatedRatio":',
                    {{ without_zeros("share") }},
                    case
                        when usage_unit is not null and usage_quantity is not null
                        then
                            concat(
                                ',"UsageUnit":',
                                to_json(usage_unit),
                                ',"UsageQuantity":',
                                {{ without_zeros("usage_quantity") }}
                            )
                    end,
                    '}]}'
                )
        end as "AllocatedMethodDetails",
        allocation_rule as "AllocatedMethodId",
        case when allocation_rule is not null then allocated_to end as "AllocatedResourceId",
        case
            when allocation_rule is not null and allocated_to is not null then customer_name
        end as "AllocatedResourceName",
        case
            when allocation_rule is not null and allocated_to is not null
            then cast(json_object('customer', allocated_to) as varchar)
        end as "AllocatedTags",
    {%- endif %}
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
    shares.starts_at + shares.duration as "ChargePeriodEnd",
    shares.starts_at as "ChargePeriodStart",
    shares.contracted_cost as "ContractedCost",
    shares.effective_cost as "EffectiveCost",
    {%- if version != "1.2" %} shares.provider_name as "HostProviderName", {%- endif %}
    shares.provider_name as "InvoiceIssuerName",
    shares.list_cost as "ListCost",
    -- The priced item is the share itself; FOCUS requires a quantity for usage and purchases only.
    case
        when shares.charge_category in ('Usage', 'Purchase') then cast(1 as decimal(38, 12))
    end as "PricingQuantity",
    case when shares.charge_category in ('Usage', 'Purchase') then 'Shares' end as "PricingUnit",
    {%- if version != "1.4" %}
        shares.provider_name as "ProviderName", shares.provider_name as "PublisherName",
    {%- endif %}
    shares.service_category as "ServiceCategory",
    shares.service_name as "ServiceName",
    {%- if version != "1.2" %} shares.provider_name as "ServiceProviderName", {%- endif %}
    -- The customer (since 1.3 in AllocatedTags) and its elements; unmatched dimensions have no tag.
    cast(
        json_merge_patch(
            {%- if version == "1.2" %}json_object('customer', shares.customer_id),
            {%- else %}json_object(),
            {%- endif %}
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
    {%- if version != "1.2" %} shares.pool_id as "x_PoolId", {%- endif %}
    shares.x_source_name as "x_SourceName",
    shares.unallocated_reason as "x_UnallocatedReason"
from shares
