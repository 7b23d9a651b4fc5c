{{
    config(
        enabled=var("reporting_currency") != "",
        meta={"dagster": {"ref": {"name": "customer_margins_reported"}}},
    )
}}
-- Law: the costs in the reporting currency are the exact ones, none missing and none twice;
-- and the margins hold the sum of their rows (the long tail's by the customers in it).
with
    exact as (
        select 'costs' as law, billing_month, billing_currency, sum(effective_cost) as expected
        from {{ ref("customer_costs_daily") }}
        group by all
    ),

    shown as (
        select 'costs' as law, billing_month, billing_currency, sum(effective_cost) as found
        from {{ ref("customer_costs_reported") }}
        group by all
    ),

    tail as (
        select
            cast(long_tail.billing_period || '-01' as date) as billing_month,
            sum({{ converted("long_tail.effective_cost", "rates.exchange_rate") }}) as amount
        from {{ ref("long_tail_costs") }} as long_tail
        inner join {{ ref("exchange_rates_daily") }} as rates using (usage_date, billing_currency)
        group by all
    ),

    converted_costs as (
        select
            'margins' as law,
            billing_month,
            reporting_currency as billing_currency,
            coalesce(sum(reported_effective_cost) filter (customer_id is distinct from 'long tail'), 0)
            + coalesce(any_value(tail.amount), 0) as expected
        from {{ ref("customer_costs_reported") }}
        left join tail using (billing_month)
        group by all
    ),

    in_margins as (
        select
            'margins' as law,
            billing_month,
            reporting_currency as billing_currency,
            sum(effective_cost + other_cost + cost_to_come) as found
        from {{ ref("customer_margins_reported") }}
        group by all
    )

select *
from
    (
        select *
        from exact
        union all by name
        select *
        from converted_costs
    )
full join
    (
        select *
        from shown
        union all by name
        select *
        from in_margins
    ) using (law, billing_month, billing_currency)
where found is distinct from expected and coalesce(found, 0) <> coalesce(expected, 0)
