"""The bench's bill, usage and contexts: large, regular, and the same for the same sizes.

What belongs here: files as a company would have them in its workspace. What does not: running or timing
anything on them.

Every feature has four services and a stream of its own; a customer uses an eighth of the features. All
charges are hourly usage, so that the hand-written SQL beside this can say in a page what the job does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

FIRST_DAY = date(2025, 11, 1)
DAYS = 30
CHANGED_DAY = date(2025, 11, 15)
_CUR_2 = Path(__file__).parents[2] / "orchestration" / "demo" / "cur_2.sql"
_SERVICES = ("AmazonEC2", "AmazonES", "AmazonRDS", "AmazonS3")


@dataclass(frozen=True)
class Size:
    """How much there is: rows of each of bill and usage, customers, features (and streams)."""

    rows: int
    customers: int
    features: int


def write_sources(sources: Path, size: Size) -> None:
    """Write bill, usage batches (one a day) and the list of customers below `sources`."""
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        _write_bill(connection, sources, size, changed=False)
        _write_usage(connection, sources, size)
        _write_customers(connection, sources, size)


def write_bill(sources: Path, size: Size) -> None:
    """Write the bill alone, as one file below `sources`."""
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        _write_bill(connection, sources, size, changed=False)


def billed(file: Path) -> Decimal:
    """What a bill's file adds up to, each value taken as a decimal."""
    with duckdb.connect() as connection:
        query = "select sum(line_item_unblended_cost::varchar::decimal(38, 12)) from read_parquet(?)"
        total: Decimal = connection.execute(query, [str(file)]).fetchall()[0][0]
    return total


def change_one_day(sources: Path, size: Size) -> None:
    """Deliver the bill again: on `CHANGED_DAY` the first service of every feature cost twice as much."""
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        _write_bill(connection, sources, size, changed=True)


def write_contexts(contexts: Path, size: Size) -> None:
    """Write one dimension with a rule for each feature, a stream for each, and a rule that joins them."""
    numbers = range(size.features)
    rules = [f"  - element: Feature {n}\n    when: {{tag: feature, equals: feature-{n}}}\n" for n in numbers]
    streams = [
        f"  stream_{n}:\n    unit: call\n    granularity: hourly\n    description: Calls of feature {n}\n"
        for n in numbers
    ]
    allocation = [
        f"  - name: feature_{n}\n    when: {{dimension: feature, equals: Feature {n}}}\n    by: stream_{n}\n"
        for n in numbers
    ]
    texts = {
        "dimensions/feature.yml": "dimension: feature\ndescription: Product feature\nrules:\n"
        + "".join(rules),
        "streams.yml": "streams:\n" + "".join(streams),
        "allocation.yml": (
            "allocate_to: customer\n"
            "cost_of_goods_sold: {charge: charge_category, equals: Usage}\n"
            "rules:\n" + "".join(allocation)
        ),
    }
    for name, text in texts.items():
        path = contexts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _write_bill(connection: duckdb.DuckDBPyConnection, sources: Path, size: Size, *, changed: bool) -> None:
    folder = sources / "billing"
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute(_CUR_2.read_text(encoding="utf-8"))
    connection.execute(
        """
        insert into cur_2 by name
        with
            numbered as (
                -- All resources of an hour, then the next hour: files are in order of time.
                select i, i // $per_hour as hour_number, i % $per_hour as resource
                from range($rows) as rows (i)
            ),
            placed as (
                select
                    *,
                    $first_day::timestamp + to_hours(hour_number) as hour,
                    resource % $features as feature,
                    (resource // $features) % len($services) as service
                from numbered
            ),
            priced as (
                select
                    *,
                    (
                        (hash(resource) % 900000 + hash(i) % 100000 + 1) * 0.0000001::decimal(10, 7)
                        * if($changed and hour::date = $changed_day and service = 0, 2, 1)
                    )::decimal(18, 7) as cost
                from placed
            )
        select
            'i-' || lpad(resource::varchar, 17, '0') as line_item_resource_id,
            md5(resource::varchar) as identity_line_item_id,
            strftime(hour, '%Y-%m-%dT%H:%M:%SZ') || '/'
                || strftime(hour + interval 1 hour, '%Y-%m-%dT%H:%M:%SZ') as identity_time_interval,
            'Anniversary' as bill_bill_type,
            'AWS' as bill_billing_entity,
            $first_day::timestamp as bill_billing_period_start_date,
            $first_day::timestamp + to_days($days) as bill_billing_period_end_date,
            '111111111111' as bill_payer_account_id,
            '111111111111' as line_item_usage_account_id,
            'production' as line_item_usage_account_name,
            'USD' as line_item_currency_code,
            'Amazon Web Services, Inc.' as line_item_legal_entity,
            'Usage' as line_item_line_item_type,
            hour as line_item_usage_start_date,
            hour + interval 1 hour as line_item_usage_end_date,
            $services[service + 1] as line_item_product_code,
            $services[service + 1] as product_servicecode,
            'us-east-1' as product_region_code,
            'Usage-' || resource % 50 as line_item_usage_type,
            'Run' as line_item_operation,
            1 as line_item_usage_amount,
            cost as line_item_unblended_cost,
            cost as pricing_public_on_demand_cost,
            'OnDemand' as pricing_term,
            map {'product_name': $services[service + 1], 'region': 'us-east-1'} as product,
            map {'user_feature': 'feature-' || feature, 'user_environment': 'production'} as resource_tags,
            map {} as cost_category,
            map {} as discount
        from priced
        """,
        {
            "rows": size.rows,
            "per_hour": max(1, size.rows // (DAYS * 24)),
            "features": size.features,
            "services": list(_SERVICES),
            "first_day": FIRST_DAY,
            "days": DAYS,
            "changed": changed,
            "changed_day": CHANGED_DAY,
        },
    )
    target = folder / "charges.parquet"
    connection.execute(
        f"copy (select * exclude (restated) from cur_2) to '{target}' (format parquet, compression snappy)"
    )
    connection.execute("drop table cur_2")


def _write_usage(connection: duckdb.DuckDBPyConnection, sources: Path, size: Size) -> None:
    connection.execute(
        """
        create temporary table records as
        with
            numbered as (
                select i // ($features * 24 * $days) as turn, i % ($features * 24 * $days) as place
                from range($rows) as rows (i)
            ),
            placed as (
                select turn, place % $features as feature, place // $features as hour_number from numbered
            )
        select
            'stream_' || feature as stream,
            $first_day::timestamp + to_hours(hour_number) as "timestamp",
            -- In each hour other ones of the eighth of the customers that use this feature.
            'customer-' || (
                feature * ($customers // 8)
                + (hash(feature, hour_number) % ($customers // 8) + turn) % ($customers // 8)
            ) % $customers as customer_id,
            (hash(feature, hour_number, turn) % 1000 + 1)::decimal(18, 0) as value
        from placed
        """,
        {
            "rows": size.rows,
            "features": size.features,
            "customers": size.customers,
            "first_day": FIRST_DAY,
            "days": DAYS,
        },
    )
    for (day,) in connection.execute('select distinct "timestamp"::date from records order by 1').fetchall():
        folder = sources / "telemetry" / str(day)
        folder.mkdir(parents=True, exist_ok=True)
        connection.execute(
            f"""copy (select * from records where "timestamp"::date = date '{day}')
                to '{folder / "calls.parquet"}' (format parquet)"""
        )


def _write_customers(connection: duckdb.DuckDBPyConnection, sources: Path, size: Size) -> None:
    folder = sources / "customers"
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"""copy (
                select
                    'customer-' || i as customer_id,
                    'Customer ' || i as customer_name,
                    ['startup', 'mid-market', 'enterprise'][i % 3 + 1] as segment,
                    'Standard' as plan
                from range({size.customers}) as rows (i)
            ) to '{folder / "customers.csv"}' (format csv, header)"""
    )
