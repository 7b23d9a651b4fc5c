"""Tables of the report: one select per table, from one or more published marts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestration.outputs.report import below_services

LARGEST_UNCLAIMED = 400
LARGEST_ANOMALIES = 500


@dataclass(frozen=True)
class Published:
    """The snapshot's marts and the contexts' dimensions."""

    marts: frozenset[str]
    dimensions: tuple[str, ...]


@dataclass(frozen=True)
class PageTable:
    """A table of the page: name, source marts and query."""

    name: str
    marts: tuple[str, ...]
    select: Callable[[Published], str]


def quoted(names: Sequence[str], relation: str = "") -> str:
    """Quoted names as a select list."""
    prefix = f"{relation}." if relation else ""
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _customers(_: Published) -> str:
    """Customers, and the long tail if it has cost; the page adds the unallocated cost itself."""
    return """
        select customer_id, customer_name, segment, plan, is_listed, first_cost_date, last_cost_date
        from customers
        where is_customer or (customer_id <> 'unallocated' and last_cost_date is not null)
        order by customer_id
    """


def _averages(_: Published) -> str:
    return """
        select
            *,
            coalesce(
                daily_cost,
                monthly_cost,
                sum(coalesce(daily_cost, monthly_cost)) over (
                    partition by period_grain, period_start, billing_currency
                )
            ) as total_cost
        from average_customer_cost
        order by billing_currency, segment, period_grain, period_start
    """


def _spend(published: Published) -> str:
    """Daily spend of all segments; small however many customers there are."""
    levels = quoted(published.dimensions[:2])
    return f"""
        select
            if(customer_id = 'unallocated', '', segment) as segment,
            allocation_kind,
            unallocated_reason,
            {levels + "," if levels else ""}
            billing_currency,
            usage_date,
            sum(effective_cost) as effective_cost
        from customer_costs_daily
        group by all
        order by all
    """


def _unit_costs(_: Published) -> str:
    """By segment; the page sums segments and days, then divides."""
    return """
        select
            stream,
            unit,
            segment,
            billing_currency,
            usage_date,
            sum(usage_quantity) as usage_quantity,
            count(*) filter (usage_quantity > 0) as customer_count,
            sum(effective_cost) as effective_cost
        from unit_costs_daily
        group by all
        order by stream, unit, segment, billing_currency, usage_date
    """


def _coverage(_: Published) -> str:
    return """
        select
            dimension,
            coverage,
            billing_currency,
            usage_date,
            sum(charge_count)::bigint as charge_count,
            sum(effective_cost)::decimal(38, 12) as effective_cost
        from context_coverage
        group by all
        order by all
    """


def _unclaimed(_: Published) -> str:
    """The largest groups without a rule, per month and dimension."""
    return f"""
        with
            groups as (
                select
                    dimension,
                    coverage,
                    service_name,
                    sub_account_id,
                    billing_currency,
                    date_trunc('month', usage_date)::date as usage_month,
                    sum(charge_count)::bigint as charge_count,
                    sum(effective_cost)::decimal(38, 12) as effective_cost
                from context_coverage
                where coverage <> 'rule'
                group by all
            )
        select *
        from groups
        qualify
            row_number() over (
                partition by dimension, billing_currency, usage_month
                order by effective_cost desc, service_name, sub_account_id, coverage
            ) <= {LARGEST_UNCLAIMED}
        order by dimension, billing_currency, usage_month, effective_cost desc
    """


def _reconciliation(_: Published) -> str:
    return """
        select
            cost_column,
            hop_number,
            hop,
            x_source_name,
            billing_month,
            billing_currency,
            usage_date,
            hop_cost,
            difference
        from reconciliation
        order by all
    """


def _company_margins(_: Published) -> str:
    return "select * from company_margins_monthly order by billing_currency, billing_month"


def _anomaly_drivers(_: Published) -> str:
    return f"""
        select drivers.* exclude (happened_at), strftime(happened_at, '%Y-%m-%d %H:%M') as happened_at
        from cost_anomaly_drivers as drivers
        inner join cost_anomalies as anomalies using (anomaly_id)
        where anomalies.impact_rank <= {LARGEST_ANOMALIES}
        order by anomalies.impact_rank, abs(drivers.cost_impact) desc nulls last, driver_kind, driver
    """


TABLES = (
    PageTable("customers", ("customers",), _customers),
    PageTable("averages", ("average_customer_cost",), _averages),
    PageTable("spend", ("customer_costs_daily",), _spend),
    PageTable("unit_costs", ("unit_costs_daily",), _unit_costs),
    PageTable("coverage", ("context_coverage",), _coverage),
    PageTable("services", ("service_costs_daily",), lambda _: below_services.usage_types()),
    PageTable(
        "resources", ("service_costs_daily", "resource_costs_daily"), lambda _: below_services.resources()
    ),
    PageTable("unclaimed", ("context_coverage",), _unclaimed),
    PageTable("reconciliation", ("reconciliation",), _reconciliation),
    PageTable("company_margins", ("company_margins_monthly",), _company_margins),
    PageTable("anomaly_drivers", ("cost_anomaly_drivers", "cost_anomalies"), _anomaly_drivers),
)
