{{ config(meta={"dagster": {"ref": {"name": "customer_margins_monthly"}}}) }}
-- Law: the costs of every margins mart are the bill, and the revenue is that of the months that have a bill.
with
    bill as (
        select billing_period as billing_month, billing_currency, sum(effective_cost) as amount
        from {{ ref("customer_costs_monthly") }}
        group by all
    ),

    paid as (
        select strftime(usage_date, '%Y-%m') as billing_month, billing_currency, sum(revenue) as amount
        from {{ ref("customer_revenue_daily") }}
        where strftime(usage_date, '%Y-%m') in (select billing_month from bill)
        group by all
    ),

    expected as (
        select 'cost' as side, *
        from bill
        union all
        select 'revenue', *
        from paid
    )

{%- for mart in ["customer_margins_monthly", "segment_margins_monthly", "product_margins_monthly"] %}
    select '{{ mart }}' as mart, side, billing_month, billing_currency, expected.amount, found.amount as found
    from expected
    full join
        (
            select 'cost' as side, billing_month, billing_currency, sum(effective_cost) as amount
            from {{ ref(mart) }}
            group by all
            union all
            select 'revenue', billing_month, billing_currency, sum(revenue)
            from {{ ref(mart) }}
            group by all
        ) as found using (side, billing_month, billing_currency)
    where coalesce(expected.amount, 0) <> coalesce(found.amount, 0) {{ "union all" if not loop.last }}
{%- endfor %}
