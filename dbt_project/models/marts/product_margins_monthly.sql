{%- set element = var("product_dimension") if var("product_dimension") in dimension_names() else "null" -%}
-- Products are the elements of the configured dimension; capitals in revenue files are ignored. Revenue
-- without a product is not divided among products: it has its own row.
with
    costs as materialized(
        select
            billing_month,
            customer_id,
            case
                when customer_id = 'unallocated'
                then 'unallocated'
                else coalesce({{ element }}, 'no product matched')
            end as product,
            service_name,
            billing_currency,
            sum(effective_cost) as effective_cost
        from {{ ref("customer_costs_monthly") }}
        where {{ margin_side("unallocated_reason") }} = 'cost of goods sold'
        group by all
    ),

    months as (select * from {{ ref("billed_months") }}),

    spellings as (select lower(product) as spelling, min(product) as product from costs group by all),

    revenue as (
        select
            months.billing_month,
            daily.customer_id,
            coalesce(spellings.product, daily.product, 'no product named') as product,
            'revenue' as service_name,
            daily.billing_currency,
            sum(daily.revenue) as revenue,
            sum({{ revenue_to_date("daily", "months") }}) as revenue_to_date
        from {{ ref("customer_revenue_daily") }} as daily
        inner join months on months.billing_month = date_trunc('month', daily.usage_date)
        left join spellings on spellings.spelling = lower(daily.product)
        group by all
    ),

    parts as (
        select
            *,
            cast(0 as decimal(38, 12)) as revenue,
            cast(0 as decimal(38, 12)) as revenue_to_date,
            true as has_cost,
            false as has_revenue
        from costs
        union all by name
        select *, cast(0 as decimal(38, 24)) as effective_cost, false as has_cost, true as has_revenue
        from revenue
    ),

    -- Every part twice: as the month's own, and as the next month's previous value.
    both_months as (
        select billing_month, true as is_now, parts.* exclude (billing_month)
        from parts
        union all
        select cast(billing_month + interval 1 month as date), false, parts.* exclude (billing_month)
        from parts
        where
            cast(billing_month + interval 1 month as date)
            in (select billing_month from months where not is_running)
    ),

    by_product as (
        select
            billing_month,
            product,
            billing_currency,
            cast(billing_month - interval 1 month as date)
            in (select billing_month from months) as has_previous_month,
            cast(
                count(distinct customer_id) filter (
                    where is_now and customer_id not in {{ reserved_customers() }}
                ) as integer
            ) as customer_count,
            coalesce(bool_or(is_now and has_revenue), false) as has_revenue,
            coalesce(bool_or(is_now and has_cost), false) as has_cost,
            coalesce(sum(revenue) filter (where is_now), 0) as revenue,
            coalesce(sum(revenue_to_date) filter (where is_now), 0) as revenue_to_date,
            coalesce(sum(effective_cost) filter (where is_now), 0) as effective_cost,
            coalesce(sum(revenue) filter (where not is_now), 0) as before_revenue,
            coalesce(sum(effective_cost) filter (where not is_now), 0) as before_cost
        from both_months
        group by all
    ),

    changed as (
        select
            *,
            revenue_to_date - effective_cost as gross_margin,
            has_previous_month and not is_running as is_comparable,
            case when is_comparable then before_revenue end as previous_revenue,
            case when is_comparable then before_cost end as previous_effective_cost,
            previous_revenue - previous_effective_cost as previous_gross_margin,
            revenue - previous_revenue as revenue_change,
            effective_cost - previous_effective_cost as cost_change
        from by_product
        inner join months using (billing_month)
    ),

    -- The service that moved the product's cost most in its direction.
    by_service as (
        select
            billing_month,
            product,
            billing_currency,
            service_name,
            sum(case when is_now then effective_cost else - effective_cost end) as service_change
        from both_months
        where has_cost
        group by all
    ),

    main_services as (
        select
            billing_month,
            product,
            billing_currency,
            by_service.service_name as changed_service,
            by_service.service_change as changed_service_cost
        from by_service
        inner join changed using (billing_month, product, billing_currency)
        where by_service.service_change <> 0
        qualify
            row_number() over (
                partition by billing_month, product, billing_currency
                order by
                    {{ furthest_first("by_service.service_change", "changed.cost_change") }},
                    by_service.service_name
            )
            = 1
    )

select
    changed.billing_month,
    changed.product,
    changed.billing_currency,
    changed.customer_count,
    changed.revenue,
    changed.effective_cost,
    changed.gross_margin,
    {{ margin_ratio("changed.gross_margin", "changed.revenue_to_date") }} as gross_margin_ratio,
    {{ missing_side("changed.has_revenue", "changed.has_cost") }} as missing_side,
    changed.is_running,
    changed.billed_through,
    changed.revenue_to_date,
    changed.previous_revenue,
    changed.previous_effective_cost,
    changed.previous_gross_margin,
    changed.revenue_change,
    changed.cost_change,
    changed.gross_margin - changed.previous_gross_margin as gross_margin_change,
    {{ change_cause("changed.revenue_change", "changed.cost_change") }} as change_cause,
    main_services.changed_service,
    main_services.changed_service_cost
from changed
left join main_services using (billing_month, product, billing_currency)
