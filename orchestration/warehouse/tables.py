"""Row counts and previews of tables in the working database, shown with assets in Dagster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from orchestration.settings import Settings
from orchestration.warehouse.working_database import open_warehouse

Table = tuple[str, str]
_ROWS_SHOWN = 5

_TOP_CUSTOMERS = ("marts", "customer_costs_monthly")
_RECONCILIATION = ("marts", "reconciliation")
CHANGED_DAYS = ("staging", "changed_days")


@dataclass(frozen=True)
class TableDescription:
    """A table's row count and, for some tables, a Markdown preview.

    For the days of the run, also how many there are per reason, each counted once.
    """

    rows: int
    preview: str = ""
    days_by_reason: Mapping[str, int] = field(default_factory=dict)


def describe(settings: Settings, wanted: Iterable[Table]) -> dict[Table, TableDescription]:
    """Describe the `wanted` (schema, table) that are tables or kept by day.

    Other views are skipped: counting would run them.
    """
    if not settings.warehouse_file.is_file():
        return {}
    with open_warehouse(settings, read_only=True) as warehouse:
        tables: set[Table] = set(
            warehouse.execute(
                "select table_schema, table_name from information_schema.tables "
                "where table_type = 'BASE TABLE'"
            ).fetchall()
        )
        rows_of_days = _rows_of_days(warehouse)
        return {
            table: TableDescription(
                rows_of_days[table] if table in rows_of_days else _rows(warehouse, table),
                _preview(warehouse, table),
                _days_by_reason(warehouse) if table == CHANGED_DAYS else {},
            )
            for table in sorted(set(wanted) & {*tables, *rows_of_days})
        }


def _rows_of_days(warehouse: duckdb.DuckDBPyConnection) -> dict[Table, int]:
    """Row counts of models kept by day, recorded when their files were written."""
    noted = warehouse.execute(
        "select model, sum(row_count)::bigint from built.day_files group by model"
    ).fetchall()
    return {tuple(model.split(".")): rows for model, rows in noted}


def first_rows(settings: Settings, query: str) -> list[str]:
    """First rows of a query on the working database, each as `column: value, …`; none if the query fails."""
    with open_warehouse(settings, read_only=True) as warehouse:
        try:
            asked = warehouse.execute(query)
        except duckdb.Error:
            return []
        names = [column[0] for column in asked.description]
        rows = asked.fetchmany(_ROWS_SHOWN)
    return [", ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True)) for row in rows]


def _rows(warehouse: duckdb.DuckDBPyConnection, table: Table) -> int:
    schema, name = table
    rows: int = warehouse.execute(f'select count(*) from "{schema}"."{name}"').fetchall()[0][0]
    return rows


def _preview(warehouse: duckdb.DuckDBPyConnection, table: Table) -> str:
    if table == _TOP_CUSTOMERS:
        return _top_customers(warehouse)
    if table == CHANGED_DAYS:
        return _changed_days(warehouse)
    return _reconciliation(warehouse) if table == _RECONCILIATION else ""


def _top_customers(warehouse: duckdb.DuckDBPyConnection) -> str:
    """Spend of the last months, and the customers behind it in the latest one."""
    months = warehouse.execute(
        """
        select
            usage_month as month,
            billing_currency,
            sum(billed_cost) as billed,
            sum(effective_cost) as effective,
            coalesce(sum(effective_cost) filter (customer_id = 'unallocated'), 0) as unallocated
        from marts.customer_costs_monthly
        group by usage_month, billing_currency
        order by usage_month desc, billing_currency
        limit 12
        """
    ).fetchall()
    customers = warehouse.execute(
        """
        select
            usage_month as month,
            billing_currency,
            customer_id,
            sum(effective_cost) as effective
        from marts.customer_costs_monthly
        where
            usage_month = (select max(usage_month) from marts.customer_costs_monthly)
            and customer_id <> 'unallocated'
        group by all
        order by effective desc, customer_id
        limit 10
        """
    ).fetchall()
    spend = markdown(["month", "currency", "billed", "effective", "of it unallocated"], months)
    top = markdown(["month", "currency", "customer", "effective"], customers)
    return f"{spend}\n\n{top}"


def _reconciliation(warehouse: duckdb.DuckDBPyConnection) -> str:
    """Billed and effective cost at every hop of the last billing periods, to the last digit."""
    sums = warehouse.execute(
        """
        select
            billing_month,
            x_source_name,
            billing_currency,
            hop,
            sum(hop_cost) filter (cost_column = 'billed_cost')::varchar as billed,
            sum(hop_cost) filter (cost_column = 'effective_cost')::varchar as effective,
            sum(abs(difference))::varchar as difference
        from marts.reconciliation
        where billing_month in (
            select distinct billing_month from marts.reconciliation order by billing_month desc limit 3
        )
        group by billing_month, x_source_name, billing_currency, hop_number, hop
        order by billing_month desc, x_source_name, billing_currency, hop_number
        """
    ).fetchall()
    header = ["period", "source", "currency", "hop", "billed", "effective", "difference of all columns"]
    return markdown(header, sums)


def _changed_days(warehouse: duckdb.DuckDBPyConnection) -> str:
    """Days recomputed by the run, by month and reason."""
    days = warehouse.execute(
        """
        select
            strftime(usage_date, '%Y-%m') as month,
            reason,
            count(*)::varchar as days,
            min(usage_date)::varchar as first_day,
            max(usage_date)::varchar as last_day
        from staging.changed_days
        group by all
        order by month desc, reason
        limit 24
        """
    ).fetchall()
    return markdown(["month", "what differs", "days", "first", "last"], days) if days else ""


def _days_by_reason(warehouse: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(
        warehouse.execute(
            "select reason, count(*) from staging.changed_days group by reason order by reason"
        ).fetchall()
    )


def markdown(header: list[str], rows: Iterable[tuple[Any, ...]]) -> str:
    """A Markdown table; amounts to the cent."""
    lines = [header, ["---" if index < 2 else "---:" for index in range(len(header))]]
    lines += [[f"{cell:,.2f}" if isinstance(cell, Decimal) else _plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(cell: object) -> str:
    return "" if cell is None else str(cell).replace("|", "\\|")
