with
    charges as (select * from {{ ref("charges_in_context") }}),

    -- Only rules that divide by hourly usage look inside the day. A charge for longer than an hour (tax, a
    -- monthly fee) belongs to no hour and is divided by the usage of its day.
    hourly_rules as (
        select distinct rule_name
        from {{ ref("allocation_rules") }}
        where method = 'stream' and granularity = 'hourly'
    ),

    grouped as (
        select
            charges.usage_date,
            charges.x_source_name,
            charges.billing_period,
            charges.billing_currency,
            charges.provider_name,
            charges.billing_account_id,
            {{ dimension_columns("charges") }},
            charges.service_name,
            charges.charge_category,
            charges.charge_class,
            charges.cost_of_goods_sold,
            -- What is no cost of goods sold is reported, not allocated: no rule applies to it.
            case when charges.cost_of_goods_sold then charges.allocation_rule end as allocation_rule,
            case when charges.cost_of_goods_sold then charges.direct_customer_id end as direct_customer_id,
            case
                when
                    charges.cost_of_goods_sold
                    and charges.allocation_rule in (select rule_name from hourly_rules)
                    and charges.charge_period_end <= charges.charge_period_start + interval 1 hour
                then date_trunc('hour', charges.charge_period_start)
            end as usage_hour,
            date_trunc('hour', charges.charge_period_start) as first_hour,
            -- How many hours of its usage date the charge is for, begun ones included; without an end, the
            -- rest of them.
            case
                when charges.charge_period_end <= charges.charge_period_start + interval 1 hour
                then 1
                else
                    least(
                        coalesce(
                            date_diff(
                                'hour',
                                charges.charge_period_start,
                                charges.charge_period_end - interval 1 microsecond
                            )
                            + 1,
                            24
                        ),
                        24 - hour(charges.charge_period_start)
                    )
            end as hour_count,
            count(*) as charge_count,
            {{ sum_of_cost_columns("charges") }}
        from charges
        group by all
    ),

    -- The ids that tags name customers by become customers.
    of_customers as (
        select
            grouped.* exclude (direct_customer_id, charge_count, {{ cost_columns() | join(", ") }}),
            {{ customer_of("grouped.direct_customer_id") }} as direct_customer_id,
            sum(grouped.charge_count) as charge_count,
            {{ sum_of_cost_columns("grouped") }}
        from grouped {{ join_alias("grouped.direct_customer_id", "grouped.usage_date") }}
        group by all
    )

select
    cast(strftime(usage_date, '%Y%m%d') as bigint) * 1000000000 + dense_rank() over (
        partition by usage_date
        order by
            x_source_name,
            billing_period,
            billing_currency,
            provider_name,
            billing_account_id,
            {{ dimension_columns() }},
            service_name,
            charge_category,
            charge_class,
            cost_of_goods_sold,
            allocation_rule,
            direct_customer_id
    ) as pool_id,
    *
from of_customers
