"""The bench's bill, usage and contexts: large, regular, and the same for the same sizes.

Every feature has four services and a stream of its own; a customer uses an eighth of the features. All
charges are hourly usage, so that the yardstick can say in a page what the job does. Files are made a few days
at a time, so that the largest size is made in bounded memory.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

FIRST_DAY = date(2025, 11, 1)
DAYS = 30
CHANGED_DAY = date(2025, 11, 15)
_MONTH = f"{FIRST_DAY:%Y-%m}"
_CUR_2 = Path(__file__).parents[1] / "orchestration" / "demo" / "cur_2.sql"
_SERVICES = ("AmazonEC2", "AmazonES", "AmazonRDS", "AmazonS3")
_ROWS_AT_ONCE = 4_000_000
_MEMORY = "6GB"


@dataclass(frozen=True)
class Size:
    """How much there is: rows of each of bill and usage, customers, features (and streams)."""

    rows: int
    customers: int
    features: int

    @property
    def days_at_once(self) -> int:
        """Days in one file of the bill: as many as keep it at about four million rows."""
        return max(1, min(DAYS, _ROWS_AT_ONCE * DAYS // self.rows))


def write_sources(sources: Path, size: Size) -> None:
    """Write bill, usage batches (one a day) and the list of customers below `sources`."""
    with _connection() as connection:
        folder = _delivery_folder(sources, 1)
        for number, first_day in enumerate(_first_days(size), start=1):
            _write_charges(connection, folder / _charges_file(number), size, first_day)
        _write_manifest(sources, folder)
        for day in _days():
            _write_usage(connection, sources, size, day)
        _write_customers(connection, sources, size)


def deliver_again(sources: Path, size: Size) -> None:
    """Deliver the whole month again under new names, with one service at twice its price on `CHANGED_DAY`."""
    old, new = _delivery_folder(sources, 1), _delivery_folder(sources, 2)
    with _connection() as connection:
        for number, first_day in enumerate(_first_days(size), start=1):
            target = new / _charges_file(number)
            if 0 <= (CHANGED_DAY - first_day).days < size.days_at_once:
                _write_charges(connection, target, size, first_day, changed=True)
            else:
                shutil.copyfile(old / _charges_file(number), target)
    _write_manifest(sources, new)
    shutil.rmtree(old)


def send_late_usage(sources: Path, size: Size) -> None:
    """Send one more batch for `CHANGED_DAY`: a thousandth of a day's records more."""
    with _connection() as connection:
        _write_usage(connection, sources, size, CHANGED_DAY, late=True)


def bill_files(sources: Path) -> list[Path]:
    """The files of the current delivery of the bill."""
    return sorted((sources / "billing").rglob("charges-*.snappy.parquet"))


def usage_files(sources: Path) -> list[Path]:
    """The usage batches."""
    return sorted((sources / "telemetry").rglob("*.parquet"))


def write_bill(sources: Path, size: Size) -> Path:
    """Write the bill alone, as one bare file below `sources`, and say where."""
    target = sources / "billing" / "charges.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    with _connection() as connection:
        _write_charges(connection, target, size, FIRST_DAY, days=DAYS)
    return target


def billed(files: list[Path]) -> Decimal:
    """What a bill's files add up to, each value taken as a decimal."""
    with duckdb.connect() as connection:
        query = "select sum(line_item_unblended_cost::varchar::decimal(38, 12)) from read_parquet(?)"
        total: Decimal = connection.execute(query, [[str(file) for file in files]]).fetchall()[0][0]
    return total


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


def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": _MEMORY})


def _days() -> list[date]:
    return [FIRST_DAY + timedelta(day) for day in range(DAYS)]


def _first_days(size: Size) -> list[date]:
    return _days()[:: size.days_at_once]


def _delivery_folder(sources: Path, version: int) -> Path:
    root = sources / "billing" / "bench" / "data" / f"BILLING_PERIOD={_MONTH}"
    folder = root / f"2025-12-0{version}T06:00:00Z-0000000{version}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _charges_file(number: int) -> str:
    return f"charges-{number:05}.snappy.parquet"


def _write_manifest(sources: Path, folder: Path) -> None:
    """The manifest of a CUR 2.0 export that keeps every delivery, as AWS Data Exports lays it out."""
    period = f"bench/data/BILLING_PERIOD={_MONTH}/{folder.name}"
    manifest = {
        "executionId": folder.name.rsplit("Z-", 1)[1],
        "dataFiles": [f"s3://bills/{period}/{file.name}" for file in sorted(folder.iterdir())],
    }
    target = sources / "billing" / "bench" / "metadata" / f"BILLING_PERIOD={_MONTH}" / folder.name
    target.mkdir(parents=True, exist_ok=True)
    (target / "bench-Manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _write_charges(
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    size: Size,
    first_day: date,
    *,
    days: int | None = None,
    changed: bool = False,
) -> None:
    """Charges of some days in the columns of a CUR 2.0 export, hour by hour."""
    per_hour = max(1, size.rows // (DAYS * 24))
    first_hour = (first_day - FIRST_DAY).days * 24
    last_hour = min(first_hour + (days or size.days_at_once) * 24, DAYS * 24)
    # The rows that do not fill an hour come with the last hour, so that there are as many as were asked for.
    last_row = size.rows if last_hour == DAYS * 24 else last_hour * per_hour
    connection.execute(_CUR_2.read_text(encoding="utf-8"))
    connection.execute(
        """
        insert into cur_2 by name
        with
            numbered as (
                select i, least(i // $per_hour, $hours - 1) as hour_number, i % $per_hour as resource
                from range($first_row, $last_row) as rows (i)
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
            "first_row": first_hour * per_hour,
            "last_row": last_row,
            "per_hour": per_hour,
            "hours": DAYS * 24,
            "features": size.features,
            "services": list(_SERVICES),
            "first_day": FIRST_DAY,
            "days": DAYS,
            "changed": changed,
            "changed_day": CHANGED_DAY,
        },
    )
    connection.execute(
        f"copy (select * exclude (restated) from cur_2) to '{target}' (format parquet, compression snappy)"
    )
    connection.execute("drop table cur_2")


def _write_usage(
    connection: duckdb.DuckDBPyConnection, sources: Path, size: Size, day: date, *, late: bool = False
) -> None:
    """One day's batch: in each hour other ones of the eighth of the customers that use a feature."""
    folder = sources / "telemetry" / f"{day}{'-late' if late else ''}"
    folder.mkdir(parents=True, exist_ok=True)
    per_day = size.rows // DAYS
    connection.execute(
        f"""
        copy (
            with
                numbered as (
                    select i // ($features * 24) as turn, i % ($features * 24) as place
                    from range($rows) as rows (i)
                ),
                placed as (
                    select turn, place % $features as feature, $first_hour + place // $features as hour_number
                    from numbered
                )
            select
                'stream_' || feature as stream,
                $first_day::timestamp + to_hours(hour_number) as "timestamp",
                'customer-' || (
                    feature * ($customers // 8)
                    + (hash(feature, hour_number) % ($customers // 8) + turn) % ($customers // 8)
                ) % $customers as customer_id,
                (hash(feature, hour_number, turn) % 1000 + 1)::decimal(18, 0) as value
            from placed
        ) to '{folder / "calls.parquet"}' (format parquet)
        """,
        {
            "rows": max(1, per_day // 1000) if late else per_day,
            "features": size.features,
            "customers": size.customers,
            "first_day": FIRST_DAY,
            "first_hour": (day - FIRST_DAY).days * 24,
        },
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
