"""The sample company's bill in AWS's format: creates the table `cur_2`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from orchestration.demo import company, estate
from orchestration.demo.calendar import make_calendar, set_variables

_SQL = Path(__file__).parent


def make_bill(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create the table `cur_2` in `connection`: every line of both months, deterministic per seed.

    Lines with `restated` true are missing from the first delivery of their month.
    """
    make_calendar(connection, seed)
    _set_variables(connection)
    _make_facts(connection)
    for script in ("cur_2.sql", "bill.sql", "bill_months.sql"):
        connection.execute((_SQL / script).read_text(encoding="utf-8"))


def _set_variables(connection: duckdb.DuckDBPyConnection) -> None:
    credit_account, credit_service, credit = estate.MIGRATION_CREDIT
    set_variables(
        connection,
        {
            "region": company.REGION,
            "payer_id": company.PAYER.account_id,
            "payer_name": company.PAYER.name,
            "development_id": company.DEVELOPMENT.account_id,
            "cluster": estate.CLUSTER,
            "cluster_account_id": estate.CLUSTER_ACCOUNT.account_id,
            "node_cpu": estate.NODE_CPU,
            "node_gib": estate.NODE_GIB,
            "system_cpu": estate.SYSTEM_CPU,
            "system_gib": estate.SYSTEM_GIB,
            "migration_credit_account": credit_account.account_id,
            "migration_credit_service": credit_service,
            "migration_credit": credit,
            "development_credit_rate": estate.DEVELOPMENT_CREDIT_RATE,
            "tax_rate": estate.TAX_RATE,
            "support_rate": estate.SUPPORT_RATE,
        },
    )


def _make_facts(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create or replace table accounts (account_id varchar, name varchar)")
    connection.executemany(
        "insert into accounts values (?, ?)", [[a.account_id, a.name] for a in company.ACCOUNTS]
    )
    connection.execute("create or replace table services (service varchar, product_name varchar)")
    connection.executemany(
        "insert into services values (?, ?)", [list(s) for s in estate.SERVICE_NAMES.items()]
    )

    connection.execute(
        """create or replace table savings_plans (
               name varchar, arn varchar, offering varchar, payment varchar, commitment decimal(14, 10),
               recurring decimal(14, 10), rate decimal(6, 4), upfront_fee decimal(18, 2), starts date)"""
    )
    _insert(connection, "savings_plans", [asdict(plan) for plan in estate.SAVINGS_PLANS])

    connection.execute(
        """create or replace table reservations (
               name varchar, arn varchar, account_id varchar, service varchar, product_name varchar,
               usage_type varchar, operation varchar, "count" integer, recurring decimal(14, 10),
               upfront decimal(14, 10), upfront_fee decimal(18, 2), starts date)"""
    )
    _insert(
        connection,
        "reservations",
        [
            {
                "name": held.name,
                "arn": held.arn,
                "account_id": held.account.account_id,
                "service": held.service,
                "product_name": estate.SERVICE_NAMES[held.service],
                "usage_type": held.usage_type,
                "operation": held.operation,
                "count": held.count,
                "recurring": held.recurring,
                "upfront": held.upfront,
                "upfront_fee": held.upfront_fee,
                "starts": held.starts,
            }
            for held in estate.RESERVATIONS
        ],
    )

    connection.execute(
        """create or replace table pods (
               node varchar, namespace varchar, workload varchar, cpu decimal(8, 2), gib decimal(8, 2))"""
    )
    _insert(connection, "pods", [asdict(pod) for pod in estate.PODS])
    _make_resources(connection)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    places = ", ".join("?" for _ in rows[0])
    connection.executemany(f"insert into {table} values ({places})", [list(row.values()) for row in rows])


def _make_resources(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create or replace table resources as
        with
            written as (select * from read_csv(?, header = true, all_varchar = true)),
            numbered as (
                select *, unnest(generate_series(1, "count"::integer)) as number
                from written
            ),
            named as (
                select * replace (if("count" = '1', name, name || '-' || number) as name) from numbered
            )
        select
            named.name,
            account_id,
            named.service,
            product_name,
            family,
            usage_type,
            operation,
            replace(replace(replace(replace(
                resource, '{name}', named.name), '{account}', account_id), '{region}', ?::varchar),
                '{id}', '0' || substring(md5(named.name), 1, 16)) as resource_id,
            unit,
            price::decimal(14, 10) as price,
            quantity::decimal(18, 10) as quantity,
            shape,
            paid_by,
            until::date as until,
            coalesce(incident_factor, '1')::decimal(6, 2) as incident_factor,
            if(named.service in ('AmazonCloudFront', 'AmazonRoute53'), 'global', ?::varchar) as region,
            map_from_entries(list_filter(
                [
                    -- The Name tag is what people see in the console: it is there even where nobody tagged.
                    {'key': 'user_name', 'value': if(named.service = 'AmazonEC2', named.name, null)},
                    {'key': 'user_app', 'value': app},
                    {'key': 'user_environment', 'value': environment},
                    {'key': 'user_team', 'value': team},
                    {'key': 'user_customer', 'value': customer}
                ],
                lambda tag: tag.value is not null
            )) as tags
        from named
        join accounts on accounts.name = named.account
        join services on services.service = named.service
        """,
        [str(estate.RESOURCES_FILE), company.REGION, company.REGION],
    )
