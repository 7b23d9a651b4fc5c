{{ config(enabled=var("reporting_currency") != "") }}
{%- set reporting_currency = "'" ~ var("reporting_currency") ~ "'" %}
with
    rates as (select * from {{ source("landing", "exchange_rates") }}),

    -- As listed, the other way round, or by a third currency in which both are listed, as in the ECB's files.
    quotes as (
        select rate_date, from_currency as billing_currency, exchange_rate, 1 as preference
        from rates
        where to_currency = {{ reporting_currency }}
        union all
        select rate_date, to_currency, {{ money_times_ratio("1", "1", "exchange_rate") }}, 2
        from rates
        where from_currency = {{ reporting_currency }}
        union all
        select
            listed.rate_date,
            listed.to_currency,
            {{ money_times_ratio("1", "reporting.exchange_rate", "listed.exchange_rate") }},
            3
        from rates as listed
        inner join rates as reporting using (rate_date, from_currency)
        where reporting.to_currency = {{ reporting_currency }}
    ),

    chosen as (
        select
            rate_date,
            billing_currency,
            cast(min_by(exchange_rate, (preference, exchange_rate)) as decimal(24, 12)) as exchange_rate
        from quotes
        where exchange_rate > 0
        group by all
    ),

    -- Days to come have the rate of the last billed day.
    days as (
        select
            usage_date,
            billing_currency,
            least(usage_date, (select billed_through from {{ ref("billed_through") }})) as day_of_rate
        from
            (
                select usage_date, billing_currency
                from {{ ref("staged_costs") }}
                union
                select usage_date, billing_currency
                from {{ ref("customer_revenue_daily") }}
                where
                    date_trunc('month', usage_date) in (select billing_month from {{ ref("billed_months") }})
            )
    )

select
    days.usage_date,
    days.billing_currency,
    {{ reporting_currency }} as reporting_currency,
    {%- for column, in_one_currency in [("exchange_rate", "1"), ("rate_date", "days.usage_date")] %}
        case
            when days.billing_currency = {{ reporting_currency }}
            then {{ in_one_currency }}
            when found.rate_date > days.day_of_rate - {{ var("exchange_rate_days") | int }}
            then found.{{ column }}
        end as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from days
asof left join
    chosen as found on found.billing_currency = days.billing_currency and found.rate_date <= days.day_of_rate
