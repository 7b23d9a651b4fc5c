{{
    config(
        enabled=var("reporting_currency") != "",
        meta={"dagster": {"ref": {"name": "exchange_rates_daily"}}},
    )
}}
-- Law: every day's cost and revenue can be converted. One row per pair of currencies.
select
    concat(
        'no exchange rate from ',
        billing_currency,
        ' to ',
        reporting_currency,
        ' for ',
        min(usage_date),
        ' or the {{ var("exchange_rate_days") | int - 1 }} days before it',
        case
            when count(*) > 1 then ', nor for ' || count(*) - 1 || ' other days until ' || max(usage_date)
        end,
        '; add it to the source exchange_rates'
    ) as problem
from {{ ref("exchange_rates_daily") }}
where exchange_rate is null
group by billing_currency, reporting_currency
order by billing_currency
