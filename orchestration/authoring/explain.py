"""Explain a customer's cost on a day: its pools, its share of each, and the charges behind them.

Read from the working database, which alone has pools and charges; the total is compared with the mart's.
Figures are read, never computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from orchestration.authoring.explain_query import Question, customer_id_of, requires_day, requires_feature
from orchestration.outputs.read_only import NotReadableError, rows_of

NEEDED_TABLES = {
    ("allocation", "allocations"),
    ("allocation", "cost_pools"),
    ("allocation", "share_sets"),
    ("rules", "allocation_rules"),
    ("context", "charges_in_context"),
    ("rules", "context_rules"),
    ("marts", "customer_costs_daily"),
    ("marts", "customers"),
}
_POOL_KEY = (
    "usage_date",
    "x_source_name",
    "billing_period",
    "billing_currency",
    "provider_name",
    "billing_account_id",
    "service_name",
    "charge_category",
    "charge_class",
    "cost_of_goods_sold",
)


@dataclass(frozen=True)
class Explanation:
    """A customer's cost on a day, broken down.

    `pools` (one row per multiplication) and `charges` are rows by column name, the costliest first. `totals`
    and `mart_totals` are effective cost by currency, from the pools and from `customer_costs_daily`.
    """

    question: Question
    dimensions: tuple[str, ...]
    pools: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    totals: dict[str, Decimal]
    mart_totals: dict[str, Decimal]

    @property
    def is_exact(self) -> bool:
        """Whether the pools sum to the mart's number, to the last digit."""
        return self.totals == self.mart_totals


def explain(warehouse: duckdb.DuckDBPyConnection, question: Question, charges: int) -> Explanation:
    """Break down the cost asked for in `question`, with its `charges` largest charges.

    `question.customer_id` may also be a customer's name. Raises `NothingToExplainError` and
    `NotReadableError`.
    """
    _needs_tables(warehouse)
    dimensions = tuple(
        row["dimension"]
        for row in rows_of(warehouse, "select distinct dimension from rules.context_rules order by dimension")
    )
    question = Question(
        customer_id_of(warehouse, question.customer_id), question.usage_date, question.feature
    )
    requires_day(warehouse, question)
    if question.feature is not None:
        requires_feature(warehouse, question, dimensions)
    parameters = {"customer": question.customer_id, "day": question.usage_date}
    if question.feature is not None:
        parameters["feature"] = question.feature
    pools = rows_of(warehouse, _pools_sql(dimensions, question), parameters)
    for number, pool in enumerate(pools, start=1):
        pool["number"] = number
    totals: dict[str, Decimal] = {}
    for pool in pools:
        currency = pool["billing_currency"]
        totals[currency] = totals.get(currency, Decimal(0)) + pool["effective_cost"]
    of_feature = "and feature = $feature" if question.feature is not None else ""
    mart = rows_of(
        warehouse,
        f"""
        select billing_currency, sum(effective_cost) as effective_cost
        from marts.customer_costs_daily
        where customer_id = $customer and usage_date = $day {of_feature}
        group by billing_currency
        """,
        parameters,
    )
    return Explanation(
        question,
        dimensions,
        pools,
        rows_of(warehouse, _charges_sql(dimensions, question), {**parameters, "charges": charges}),
        totals,
        {row["billing_currency"]: row["effective_cost"] for row in mart},
    )


def rule_places(warehouse: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], str]:
    """Maps dimension and rule position (0: the default) to file:line."""
    rows = rows_of(
        warehouse, "select dimension, rule_position, context_file, context_line from rules.context_rules"
    )
    return {
        (row["dimension"], row["rule_position"]): f"{row['context_file']}:{row['context_line']}"
        for row in rows
    }


def _pools_sql(dimensions: tuple[str, ...], question: Question) -> str:
    of_feature = "and pools.feature = $feature" if question.feature is not None else ""
    return f"""
        select
            parts.pool_id,
            parts.usage_hour,
            pools.service_name,
            pools.charge_category,
            pools.billing_currency,
            {"".join(f'pools."{name}", ' for name in dimensions)}
            parts.allocation_rule,
            rules.place as rule_place,
            rules.method,
            parts.allocation_kind,
            parts.unallocated_reason,
            rules.stream,
            windows.usage_window,
            parts.usage_quantity,
            parts.total_usage,
            parts.carried_cost,
            parts.total_carried_cost,
            parts.share,
            parts.pool_cost,
            parts.effective_cost
        from allocation.allocations as parts
        inner join
            (
                select distinct pool_id, service_name, charge_category, billing_currency
                    {"".join(f', "{name}"' for name in dimensions)}
                from allocation.cost_pools
                where usage_date = $day
            ) as pools using (pool_id)
        left join
            (
                select
                    rule_name,
                    any_value(method) as method,
                    any_value(context_file) || ':' || min(context_line) as place,
                    string_agg(stream, ', ' order by weight desc, stream) as stream
                from rules.allocation_rules
                group by rule_name
            ) as rules
            on rules.rule_name = parts.allocation_rule
        left join
            (
                select
                    share_set_id,
                    string_agg(distinct usage_window, ', ' order by usage_window) as usage_window
                from allocation.share_sets
                where usage_date = $day
                group by share_set_id
            ) as windows using (share_set_id)
        where parts.customer_id = $customer and parts.usage_date = $day {of_feature}
        order by parts.effective_cost desc, parts.usage_hour, parts.pool_id
    """


def _charges_sql(dimensions: tuple[str, ...], question: Question) -> str:
    same = [f'charges."{name}" is not distinct from pools."{name}"' for name in (*_POOL_KEY, *dimensions)]
    # As in cost_pools: no allocation rule applies outside cost of goods sold.
    same += [
        f"case when charges.cost_of_goods_sold then charges.{name} end is not distinct from pools.{name}"
        for name in ("allocation_rule", "direct_customer_id")
    ]
    of_feature = "and pools.feature = $feature" if question.feature is not None else ""
    # The product only orders the rows, so a double is precise enough; no amount depends on it.
    return f"""
        with
            pools as (
                select distinct
                    pool_id, usage_hour, {", ".join(f'"{name}"' for name in (*_POOL_KEY, *dimensions))},
                    allocation_rule, direct_customer_id
                from allocation.cost_pools
                where usage_date = $day
            ),
            charges as (
                select
                    *,
                    case
                        when
                            cost_of_goods_sold
                            and charge_period_end <= charge_period_start + interval 1 hour
                            and allocation_rule in (
                                select rule_name
                                from rules.allocation_rules
                                where method = 'stream' and granularity = 'hourly'
                            )
                        then date_trunc('hour', charge_period_start)
                    end as usage_hour
                from context.charges_in_context
                where usage_date = $day
            )
        select
            pools.pool_id,
            charges.charge_id,
            charges.charge_part,
            charges.charge_share,
            charges.charge_period_start,
            charges.service_name,
            charges.resource_id,
            charges.billing_currency,
            {"".join(f'charges."{name}", charges."{name}_rule", ' for name in dimensions)}
            charges.effective_cost,
            parts.share
        from allocation.allocations as parts
        inner join pools using (pool_id)
        inner join
            charges
            on charges.usage_hour is not distinct from pools.usage_hour
            and {" and ".join(same)}
        where parts.customer_id = $customer and parts.usage_date = $day {of_feature}
        order by
            abs(charges.effective_cost::double * parts.share::double) desc,
            charges.charge_period_start,
            charges.charge_id,
            charges.charge_part
        limit $charges
    """


def _needs_tables(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = set(
        warehouse.execute("select table_schema, table_name from information_schema.tables").fetchall()
    )
    missing = sorted(f"{schema}.{table}" for schema, table in NEEDED_TABLES - found)
    if missing:
        raise NotReadableError(
            f"The working database has no {', '.join(missing)} yet: no run got that far. Run the job to "
            "its end: cpc run"
        )
