-- Mid-market against enterprise margins?
-- All segments side by side, so that any two can be compared; per customer, for segments differ in number.
select
    billing_month as month,
    segment,
    billing_currency as currency,
    customer_count as customers,
    cast(revenue_to_date as decimal(38, 2)) as revenue,
    cast(effective_cost as decimal(38, 2)) as cost,
    cast(gross_margin as decimal(38, 2)) as margin,
    cast(100 * gross_margin_ratio as decimal(18, 1)) as margin_percent,
    cast(
        {{ money_divided_by("revenue_to_date", "customer_count") }} as decimal(38, 2)
    ) as revenue_per_customer,
    cast({{ money_divided_by("effective_cost", "customer_count") }} as decimal(38, 2)) as cost_per_customer,
    cast({{ money_divided_by("gross_margin", "customer_count") }} as decimal(38, 2)) as margin_per_customer,
    cast(gross_margin_change as decimal(38, 2)) as margin_change
from {{ ref("segment_margins_monthly") }}
where segment not in {{ reserved_customers() }}
order by month, currency, margin_percent
