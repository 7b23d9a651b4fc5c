{{
    config(
        enabled=var("reporting_currency") != "",
        meta={"dagster": {"ref": {"name": "customer_margins_reported"}}},
    )
}}
-- Law: costs in the reporting currency are the exact ones × the day's rate, none missing and none twice. Rows
-- are rounded one by one, so sums may differ by half a unit of the last digit per row, and by nothing else.
with
    converted_days as (
        select
            billing_month,
            sum({{ converted("cost", "exchange_rate") }}) as expected,
            cast(sum(row_count) + count(*) as integer) as rounded_count
        from
            (
                select
                    usage_date,
                    billing_month,
                    billing_currency,
                    sum(effective_cost) as cost,
                    count(*) as row_count
                from {{ ref("customer_costs_daily") }}
                group by all
            )
        inner join {{ ref("exchange_rates_daily") }} using (usage_date, billing_currency)
        group by billing_month
    ),

    tail_rows as (
        select cast(billing_period || '-01' as date) as billing_month, count(*) as tail_count
        from {{ ref("long_tail_costs") }}
        group by all
    ),

    margins as (
        select billing_month, sum(effective_cost + other_cost + cost_to_come) as in_margins
        from {{ ref("customer_margins_reported") }}
        group by all
    ),

    costs as (
        select billing_month, sum(reported_effective_cost) as in_costs
        from {{ ref("customer_costs_reported") }}
        group by all
    )

select *
from converted_days
left join tail_rows using (billing_month)
left join margins using (billing_month)
left join costs using (billing_month)
where
    {%- for found in ["in_margins", "in_costs"] %}
        {{ "or" if not loop.first }}
        coalesce(abs({{ found }} - expected), 1)
        > (rounded_count + coalesce(tail_count, 0)) * 0.000000000000000000000001
    {%- endfor %}
