{{ config(enabled=var("reporting_currency") != "") }}
{%- set customer_days %}
    select
        usage_date,
        rates.reporting_currency as billing_currency,
        customer_id,
        sum({{ converted("costs.effective_cost", "rates.exchange_rate") }}) as effective_cost
    from ({{ costs_of_customers() }}) as costs
    inner join {{ ref("exchange_rates_daily") }} as rates using (usage_date, billing_currency)
    group by all
{%- endset %}
select averages.* exclude (billing_currency), averages.billing_currency as reporting_currency
from ({{ average_cost(customer_days) }}) as averages
