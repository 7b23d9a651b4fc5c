{{ config(enabled=var("reporting_currency") != "", materialized="view") }}
select
    costs.usage_date,
    costs.billing_month,
    costs.customer_id,
    costs.customer_name,
    costs.segment,
    {{ dimension_columns("costs") }},
    costs.service_name,
    costs.service_category,
    costs.provider_name,
    costs.charge_category,
    costs.charge_class,
    costs.allocation_kind,
    costs.unallocated_reason,
    costs.billing_account_id,
    costs.x_source_name,
    costs.billing_currency,
    costs.{{ cost_columns() | join(", costs.") }},
    rates.reporting_currency,
    rates.exchange_rate,
    rates.rate_date,
    {%- for column in cost_columns() %}
        {{ converted("costs." ~ column, "rates.exchange_rate") }}
        as reported_{{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref("customer_costs_daily") }} as costs
inner join {{ ref("exchange_rates_daily") }} as rates using (usage_date, billing_currency)
