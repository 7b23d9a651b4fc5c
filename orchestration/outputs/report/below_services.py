"""The bill below its services: usage types, accounts and resources, by month.

The costliest are rows of their own, the others one row: the file stays small, and sums stay exact.
"""

from __future__ import annotations

LARGEST_USAGE_TYPES = 100
"""Usage types of a service."""
LARGEST_RESOURCES = 100
"""Resources of a service in a month."""
LARGEST_COMBINATIONS = 10_000
"""Services, accounts and usage types together; accounts keep their other usage types as one."""


def usage_types() -> str:
    """Select: cost by month, service, account and usage type."""
    return f"""
        with {_named("service_costs_daily")}
        select * exclude (effective_cost), sum(effective_cost)::decimal(38, 12) as effective_cost
        from named
        group by all
        order by all
    """


def resources() -> str:
    """Select: the same by resource, of the months whose every day has resources."""
    return f"""
        with {_named("resource_costs_daily", "resource_id")},
        first_days as (
            select
                (select min(usage_date) from resource_costs_daily) as with_resources,
                (select min(usage_date) from service_costs_daily) as first_day
        ),
        names as (
            select resource_id, max(resource_name) as resource_name from resource_costs_daily group by all
        ),
        resources as (
            select service_name, billing_currency, period_start, resource_id,
                row_number() over (
                    partition by service_name, billing_currency, period_start
                    order by sum(effective_cost) desc, resource_id
                ) as place
            from monthly
            where resource_id is not null
            group by service_name, billing_currency, period_start, resource_id
        )
        select
            named.* exclude (effective_cost) replace (
                case
                    when place > {LARGEST_RESOURCES} then 'Other resources'
                    when resource_name <> named.resource_id
                    then concat(resource_name, ' (', named.resource_id, ')')
                    else named.resource_id
                end as resource_id
            ),
            sum(effective_cost)::decimal(38, 12) as effective_cost
        from named
        left join resources
            on resources.service_name is not distinct from named.service_name
            and resources.billing_currency is not distinct from named.billing_currency
            and resources.period_start = named.period_start
            and resources.resource_id = named.resource_id
        left join names on names.resource_id = named.resource_id
        cross join first_days
        where named.period_start >= with_resources or with_resources = first_day
        group by all
        order by all
    """


def _named(relation: str, *more: str) -> str:
    """CTEs: `monthly` costs up to the last day of the page, and `named` with few usage types."""
    return f"""
        monthly as (
            select
                service_name, sub_account_id, usage_type, billing_currency,
                {"".join(f"{name}, " for name in more)}
                date_trunc('month', usage_date)::date as period_start,
                sum(effective_cost)::decimal(38, 12) as effective_cost
            from {relation}
            where usage_date <= (
                select max(usage_date) from customer_costs_daily
                where unallocated_reason is distinct from 'day to come'
            )
            group by all
        ),
        combinations as (
            select service_name, sub_account_id, usage_type, billing_currency, sum(effective_cost) as cost
            from service_costs_daily
            group by all
        ),
        with_totals as (
            select
                *,
                sum(cost) over (partition by service_name, billing_currency, usage_type) as usage_type_cost,
                row_number() over (
                    order by cost desc, service_name, sub_account_id, usage_type, billing_currency
                ) as place
            from combinations
        ),
        ranked as (
            select
                *,
                dense_rank() over (
                    partition by service_name, billing_currency order by usage_type_cost desc, usage_type
                ) as usage_type_place
            from with_totals
        ),
        named as (
            select
                monthly.* replace (
                    if(
                        usage_type_place > {LARGEST_USAGE_TYPES} or place > {LARGEST_COMBINATIONS},
                        'Other usage types',
                        monthly.usage_type
                    ) as usage_type
                )
            from monthly
            join ranked
                on ranked.service_name is not distinct from monthly.service_name
                and ranked.sub_account_id is not distinct from monthly.sub_account_id
                and ranked.usage_type is not distinct from monthly.usage_type
                and ranked.billing_currency is not distinct from monthly.billing_currency
        )
    """
