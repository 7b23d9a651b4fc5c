-- Which customers are profitable, and why?
-- The newest month that is over: margin, and what it follows from: what a customer pays, what it
-- costs against the others of its segment, and how much of the cost is measured rather than spread.
with
    month as (
        select max(billing_month) as billing_month
        from {{ ref("customer_margins_monthly") }}
        where not is_running
    ),

    measured as (
        select
            customer_id, billing_currency, sum(direct_effective_cost + usage_effective_cost) as measured_cost
        from {{ ref("customer_totals_daily") }}
        inner join month on month.billing_month = date_trunc('month', usage_date)
        group by all
    ),

    customers as (
        select
            margins.*,
            measured.measured_cost,
            segments.gross_margin_ratio as segment_ratio,
            rank() over (partition by margins.billing_currency order by margins.gross_margin desc) as best,
            rank() over (
                partition by margins.billing_currency order by margins.gross_margin_ratio nulls first
            ) as worst
        from {{ ref("customer_margins_monthly") }} as margins
        inner join month using (billing_month)
        inner join
            {{ ref("segment_margins_monthly") }} as segments using (billing_month, segment, billing_currency)
        left join measured using (customer_id, billing_currency)
        where
            margins.customer_id not in {{ reserved_customers() }}
            and margins.gross_margin is not null
            and margins.missing_side is distinct from 'both'
    )

select
    customer_name,
    segment,
    billing_currency as currency,
    cast(revenue as decimal(38, 2)) as revenue,
    cast(effective_cost as decimal(38, 2)) as cost,
    cast(gross_margin as decimal(38, 2)) as margin,
    cast(100 * gross_margin_ratio as decimal(18, 1)) as margin_percent,
    case
        when gross_margin <= 0 and missing_side = 'revenue'
        then 'costs, and pays nothing'
        when gross_margin <= 0
        then 'costs more than it pays'
        when gross_margin_ratio < segment_ratio
        then
            'profitable; costs more of its revenue than its segment ('
            || cast(cast(100 * segment_ratio as decimal(18, 1)) as varchar)
            || ' %)'
        else
            'profitable; costs less of its revenue than its segment ('
            || cast(cast(100 * segment_ratio as decimal(18, 1)) as varchar)
            || ' %)'
    end as why,
    cast(100 * {{ ratio("measured_cost", "effective_cost") }} as decimal(18, 1)) as measured_percent
from customers
where best <= 5 or worst <= 5
order by currency, gross_margin desc, customer_name
