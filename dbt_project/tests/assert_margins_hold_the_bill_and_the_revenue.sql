{{ config(meta={"dagster": {"ref": {"name": "customer_margins_monthly"}}}) }}
-- Law: costs in customer and segment margins sum to the bill, those in product margins to its cost of goods
-- sold, and the revenue in each to that of the months with a bill.
{%- set costs = {
    "customer_margins_monthly": "effective_cost + other_cost + cost_to_come",
    "segment_margins_monthly": "effective_cost + other_cost + cost_to_come",
    "product_margins_monthly": "effective_cost",
} %}
with
    bill as (
        select
            billing_month,
            billing_currency,
            sum(effective_cost) as amount,
            sum(effective_cost) filter (
                where {{ margin_side("unallocated_reason") }} = 'cost of goods sold'
            ) as cost_of_goods_sold
        from {{ ref("customer_costs_monthly") }}
        group by all
    ),

    paid as (
        select
            date_trunc('month', usage_date) as billing_month,
            billing_currency,
            cast(sum(revenue) as decimal(38, 24)) as amount
        from {{ ref("customer_revenue_daily") }}
        where date_trunc('month', usage_date) in (select billing_month from bill)
        group by all
    ),

    expected as (
        select 'cost' as side, billing_month, billing_currency, amount, cost_of_goods_sold
        from bill
        union all
        select 'revenue', billing_month, billing_currency, amount, amount
        from paid
    )

{%- for mart, cost in costs.items() %}
        {%- set amount = "cost_of_goods_sold" if mart == "product_margins_monthly" else "amount" %}
    select
        '{{ mart }}' as mart,
        side,
        billing_month,
        billing_currency,
        expected.{{ amount }} as expected,
        found.amount as found
    from expected
    full join
        (
            select 'cost' as side, billing_month, billing_currency, sum({{ cost }}) as amount
            from {{ ref(mart) }}
            group by all
            union all
            select 'revenue', billing_month, billing_currency, cast(sum(revenue) as decimal(38, 24))
            from {{ ref(mart) }}
            group by all
        ) as found using (side, billing_month, billing_currency)
    where coalesce(expected.{{ amount }}, 0) <> coalesce(found.amount, 0) {{ "union all" if not loop.last }}
{%- endfor %}
