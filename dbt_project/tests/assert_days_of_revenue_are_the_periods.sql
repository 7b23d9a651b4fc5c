{{ config(meta={"dagster": {"ref": {"name": "customer_revenue_daily"}}}) }}
-- Law: revenue spread over days sums to the revenue, to the last digit.
with
    given as (
        select billing_currency, sum(revenue) as revenue from {{ ref("stg_revenue__revenue") }} group by all
    ),

    spread as (
        select billing_currency, sum(revenue) as revenue from {{ ref("customer_revenue_daily") }} group by all
    )

select billing_currency, given.revenue, spread.revenue as spread_revenue
from given
full join spread using (billing_currency)
where given.revenue is distinct from spread.revenue
