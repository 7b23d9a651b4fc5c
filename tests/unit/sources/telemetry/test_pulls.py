"""Pulls of usage: real servers and files on one side, landed records on the other."""

from __future__ import annotations

import gzip
import json
import sqlite3
import urllib.parse
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import duckdb
import psycopg
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.settings import S3Settings, Settings
from orchestration.sources.locations import open_of
from orchestration.sources.telemetry import TELEMETRY
from orchestration.sources.telemetry.pulls.pull import PullResult, pull_usage
from orchestration.sources.telemetry.pulls.readers.reader import PullError
from tests.compiler.test_cases import NO_ALLOCATION
from tests.servers import postgres, prometheus
from tests.unit.sources.in_dagster import landed_in_dagster
from tests.unit.sources.telemetry.conftest import Telemetry

STREAMS = "streams: {requests: {granularity: hourly}, stored_bytes: {granularity: daily}}"
NOW = datetime(2026, 7, 3, 5, 40)
FIRST = date(2026, 7, 1)


class Pulling:
    """A workspace whose contexts pull usage."""

    def __init__(self, telemetry: Telemetry, folder: Path) -> None:
        self.telemetry = telemetry
        self.contexts = folder / "contexts"
        (self.contexts / "dimensions").mkdir(parents=True)
        (self.contexts / "allocation.yml").write_text(NO_ALLOCATION)
        (self.contexts / "streams.yml").write_text(STREAMS)
        (self.contexts / "dimensions" / "feature.yml").write_text("dimension: feature\ndefault: Search\n")
        self.given: dict[str, Any] = {
            "workspace": folder,
            "contexts": self.contexts,
            "telemetry_location": str(telemetry.source),
        }

    def write(self, *pulls: str) -> None:
        (self.contexts / "usage.yml").write_text("pulls:\n" + "".join(f"- {{{pull}}}\n" for pull in pulls))

    def run(self, now: datetime = NOW, names: tuple[str, ...] = (), **options: Any) -> list[PullResult]:
        settings = Settings(**self.given)
        return list(pull_usage(settings, open_of(settings), now, names, **options))

    def one(self, pull: str, now: datetime = NOW, **options: Any) -> PullResult:
        """Run one pull that has to succeed."""
        self.write(pull)
        [result] = self.run(now, **options)
        assert result.error is None, result.error
        return result

    def landed(self) -> dict[tuple[str, str], Decimal]:
        """What counts after landing, by time and customer."""
        self.telemetry.land()
        rows = self.telemetry.records("usage_timestamp, customer_id, value")
        found = {(f"{when:%d %H}", customer): value for when, customer, value in rows}
        assert len(found) == len(rows)
        return found


@pytest.fixture
def pulling(telemetry: Telemetry, tmp_path: Path) -> Pulling:
    return Pulling(telemetry, tmp_path)


def database(folder: Path, rows: list[tuple[Any, ...]]) -> str:
    """A SQLite database with the table `usage`."""

    path = folder / "app.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("create table if not exists usage (at text, tenant text, n numeric)")
        connection.executemany("insert into usage values (?, ?, ?)", rows)
    return f"sqlite:///{path}"


SQL = (
    "name: app, source: sql, from: {address}, stream: requests, customer: tenant, since: 2026-07-01, "
    'query: "select tenant, at as time, n as value from usage where at >= :start and at < :end"'
)


def test_a_window_pulled_again_counts_once_and_late_rows_count(pulling: Pulling, tmp_path: Path) -> None:
    address = database(
        tmp_path,
        [
            ("2026-07-01 10:59:59.5", "ada", 2),
            ("2026-07-01 10:00:00", "ada", 3),
            ("2026-07-02 23:00:00", "bob", 1.25),
            ("2026-07-03 04:10:00", "bob", 7),
            ("2026-07-03 05:10:00", "bob", 100),  # of an hour that is not over
        ],
    )
    first = pulling.one(SQL.format(address=address))
    assert first.summary == (
        "2026-07-01 to 2026-07-03, 3 records of 2 customers, 13.25 requests; 3 batches written"
    )
    expected = {
        ("01 10", "ada"): Decimal(5),
        ("02 23", "bob"): Decimal("1.25"),
        ("03 04", "bob"): Decimal(7),
    }
    assert pulling.landed() == expected
    # From the day before the watermark's day on; nothing is new.
    again = pulling.one(SQL.format(address=address))
    assert (
        again.summary
        == "2026-07-02 to 2026-07-03, 2 records of 1 customers, 8.25 requests; 0 batches written"
    )
    assert pulling.landed() == expected
    # A late row of yesterday, and the hour that ended meanwhile.
    database(tmp_path, [("2026-07-02 01:00:00", "ada", 4)])
    pulling.one(SQL.format(address=address), NOW + timedelta(hours=1))
    expected |= {("02 01", "ada"): Decimal(4), ("03 05", "bob"): Decimal(100)}
    assert pulling.landed() == expected
    # Later than late_days: only a backfill finds it; it reads no day twice.
    database(tmp_path, [("2026-07-01 00:00:00", "eve", 9)])
    later = NOW + timedelta(hours=1)
    pulling.one(SQL.format(address=address), later)
    assert pulling.landed() == expected
    backfilled = pulling.one(SQL.format(address=address), later, days=(FIRST, FIRST))
    assert [(day.day, day.written) for day in backfilled.days] == [(FIRST, True)]
    assert pulling.landed() == {**expected, ("01 00", "eve"): Decimal(9)}
    assert pulling.telemetry.quarantine() == []


def test_a_damaged_watermark_is_named(pulling: Pulling, tmp_path: Path) -> None:
    pulling.one(SQL.format(address=database(tmp_path, [("2026-07-01 10:00:00", "ada", 5)])))
    watermark = pulling.telemetry.source / "_pulls" / "app.json"
    watermark.write_text('{"pulled_until": "2026-')
    [result] = pulling.run()
    assert result.error == "_pulls/app.json is damaged; remove it, and the pull reads all days again"
    watermark.unlink()
    assert [each.error for each in pulling.run()] == [None]


def test_usage_that_the_system_has_forgotten_still_counts(pulling: Pulling, tmp_path: Path) -> None:
    address = database(tmp_path, [("2026-07-01 10:00:00", "ada", 5)])
    pulling.one(SQL.format(address=address))

    with sqlite3.connect(tmp_path / "app.sqlite3") as connection:
        connection.execute("delete from usage")
    result = pulling.one(SQL.format(address=address), days=(FIRST, FIRST))
    assert result.remarks == (
        "pull/app/2026-07-01.jsonl: nothing is found any more; the batch stays as it was pulled",
    )
    assert pulling.landed() == {("01 10", "ada"): Decimal(5)}


def test_equal_usage_of_two_pulls_is_not_taken_for_a_repeat(pulling: Pulling, tmp_path: Path) -> None:
    address = database(tmp_path, [("2026-07-01 10:00:00", "ada", 5)])
    one = SQL.format(address=address)
    pulling.write(one, one.replace("name: app", "name: other"))
    assert [result.error for result in pulling.run()] == [None, None]
    pulling.telemetry.land()
    assert pulling.telemetry.records() == [("ada", Decimal(5)), ("ada", Decimal(5))]


def test_usage_without_a_customer_is_kept_where_it_can_be_seen(pulling: Pulling, tmp_path: Path) -> None:
    rows = [("2026-07-01 10:00:00", who, 5) for who in ("tenant-ada", "tenant-ada", "internal", None)]
    address = database(tmp_path, [*rows, ("2026-07-01 11:00:00", "tenant-bob", -1)])
    result = pulling.one(
        SQL.format(address=address) + ", customer_pattern: '^tenant-(.+)$', filter: {feature: Search}"
    )
    assert "19 requests, of which 10 without a customer" in result.summary
    assert pulling.landed() == {("01 10", "ada"): Decimal(10)}
    assert pulling.telemetry.records("filter") == [('{"feature":["Search"]}',)]
    assert pulling.telemetry.quarantine("reason") == [("customer-id-missing",), ("value-not-positive",)]


def test_a_failing_pull_says_why_and_keeps_what_it_read(pulling: Pulling, tmp_path: Path) -> None:
    address = database(tmp_path, [("2026-07-01 10:00:00", "ada", 5), ("2026-07-02 10:00:00", "ada", "much")])
    good = SQL.format(address=address)
    pulling.write(
        good,
        good.replace("name: app", "name: columns").replace("n as value", "n"),
        good.replace("name: app", "name: window").replace(" and at < :end", " and :end <> ''"),
        good.replace("name: app", "name: broken").replace("from usage", "from usages"),
        good.replace("name: app", "name: unknown").replace(address, "warehouse"),
        good.replace("name: app", "name: driver").replace("sqlite:", "nosuch:"),
    )
    errors = {result.pull.name: result.error for result in pulling.run()}
    assert errors["app"] == "value 'much' is not a number; select one, such as coalesce(sum(n), 0)"
    assert errors["columns"] == (
        "the query has no column value; it has tenant, time, n: rename it there, "
        "or name it in the pull under time, customer or value"
    )
    assert errors["window"] == (
        "the query gave a row of 2026-07-02 10:00:00, outside 2026-07-01 00:00:00 to 2026-07-02 00:00:00; "
        "filter: time >= :start and time < :end"
    )
    assert errors["broken"] == "the query failed: no such table: usages"
    assert errors["unknown"] == (
        'no connection "warehouse" in the setting usage_connections (it is empty); '
        "add it there, or write an address"
    )
    assert "cannot be opened: Can't load plugin" in str(errors["driver"])
    assert pulling.landed() == {("01 10", "ada"): Decimal(5)}
    with pytest.raises(PullError, match=r'no pull "ap" in usage.yml; did you mean "app"'):
        pulling.run(names=("ap",))


def test_sql_from_a_postgres_server(pulling: Pulling) -> None:
    with postgres() as server:
        with psycopg.connect(server) as connection:
            connection.execute("create table events (at timestamptz, account text, amount numeric(30, 9))")
            connection.execute(
                "insert into events select timestamptz '2026-07-01 00:00+02' + i * interval '7 minutes', "
                "'acct-' || i % 5, i + 0.000000001 from generate_series(1, 600) as i"
            )
            expected = connection.execute(
                "select to_char(at at time zone 'UTC', 'DD HH24'), account, sum(amount) from events "
                "where at >= '2026-07-01 00:00+00' and at < '2026-07-03 05:00+00' group by 1, 2"
            ).fetchall()
        pulling.given["usage_connections"] = {"app": server.replace("postgresql:", "postgresql+psycopg:")}
        result = pulling.one(
            "name: app, source: sql, from: app, stream: requests, customer: account, time: hour, value: n, "
            "since: 2026-07-01, query: \"select account, date_trunc('hour', at) as hour, sum(amount) as n "
            'from events where at >= :start and at < :end group by 1, 2"'
        )
    assert len(expected) == sum(day.records for day in result.days)
    assert pulling.landed() == {(hour, account): amount for hour, account, amount in expected}


def test_two_days_of_a_prometheus_server(pulling: Pulling, tmp_path: Path) -> None:
    # Counters that grow evenly within each hour, so that every way to extrapolate gives the growth.
    start = int(datetime(2026, 7, 1).timestamp() - datetime(1970, 1, 1).timestamp())
    lines, grown = ["# TYPE requests counter"], {}
    for tenant in range(3):
        value = 1000 * tenant
        for minutes in range(0, 48 * 60 + 1, 10):
            lines.append(f'requests_total{{tenant="t{tenant}",pod="a"}} {value} {start + 60 * minutes}')
            hour = minutes // 60
            value += (pace := (hour * 7 + tenant * 3) % 11)
            if minutes < 48 * 60 and pace:
                grown[f"{1 + hour // 24:02} {hour % 24:02}", f"t{tenant}"] = Decimal(6 * pace)
    (tmp_path / "prometheus").mkdir()
    with prometheus(tmp_path / "prometheus", "\n".join([*lines, "# EOF", ""])) as address:
        pull = (
            f"name: gateway, source: prometheus, from: '{address}', stream: requests, customer: tenant, "
            "since: 2026-07-01, query: 'sum by (tenant) (increase(requests_total[1h]))'"
        )
        result = pulling.one(pull, datetime(2026, 7, 3, 0, 1))
        assert pulling.landed() == grown
        assert [day.records for day in result.days] == [
            len([1 for hour, _ in grown if hour.startswith(day)]) for day in ("01", "02")
        ]
        pulling.write(pull.replace("sum by", "sum bye"))
        [bad] = pulling.run()
    assert str(bad.error).startswith(f"{address}/api/v1/query_range answered 400: 1:5: parse error")
    pulling.write(pull)
    [gone] = pulling.run()
    assert str(gone.error).startswith(f"{address}/api/v1/query_range does not answer: ")


def test_cloudwatch_counts_the_metrics_with_the_named_dimensions(
    pulling: Pulling, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    client = boto3.client("cloudwatch", endpoint_url=s3_endpoint, region_name="eu-west-1")
    for tenant in range(3):
        for hour in (0, 13, 40):
            when = datetime(2026, 7, 1) + timedelta(hours=hour, minutes=30)
            for names in (["Tenant"], ["Tenant", "Queue"]):
                client.put_metric_data(
                    Namespace="App",
                    MetricData=[
                        {
                            "MetricName": "Jobs",
                            "Dimensions": [{"Name": name, "Value": f"t{tenant}"} for name in names],
                            "Timestamp": when + timedelta(minutes=minute),
                            "Value": tenant * 10 + hour + 0.1,
                        }
                        for minute in (0, 1)
                    ],
                )
    pulling.given["aws_endpoint_url"] = s3_endpoint
    pull = "name: jobs, source: cloudwatch, from: eu-west-1, namespace: App, metric: Jobs, stream: requests"
    pulling.one(f"{pull}, customer: Tenant, since: 2026-07-01")
    expected = {
        (f"{1 + hour // 24:02} {hour % 24:02}", f"t{tenant}"): 2 * (tenant * 10 + hour + Decimal("0.1"))
        for tenant in range(3)
        for hour in (0, 13, 40)
    }
    assert pulling.landed() == expected
    result = pulling.one(
        f"{pull}, customer: Tenant, since: 2026-07-01, dimensions: [Queue], statistic: SampleCount"
    )
    assert (len(result.days[0].customers), result.days[0].quantity) == (3, 3 * 2)


ALB = (
    "https {time} app/shop/50dc6c495c0c9188 {client}:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 "
    '{received} {sent} "GET https://{host}:443{path} HTTP/1.1" "curl" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067 "Root=1-58337281" '
    '"{host}" "arn:aws:acm:eu-west-1:123456789012:certificate/1" 1 {time} "forward" "-" "-" "10.0.0.1:80" '
    '"200" "-" "-" TID_1234\n'
)


def test_load_balancer_logs_in_s3(
    pulling: Pulling, s3_client: Any, s3_endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    expected: dict[tuple[str, str], Decimal] = {}
    files: dict[str, list[str]] = {}
    for i in range(240):
        when = datetime(2026, 7, 1, 22) + timedelta(minutes=i, microseconds=186641)
        customer = f"c{i % 7}"
        line = ALB.format(
            time=f"{when:%Y-%m-%dT%H:%M:%S.%fZ}", client="192.168.131.39", received=i, sent=10 * i,
            host=f"{customer}.example.com", path=f"/v1/search?q={i}",
        )  # fmt: skip
        # A file is named by the end of its five minutes, and lies in that day's folder.
        ended = when - timedelta(minutes=when.minute % 5) + timedelta(minutes=5)
        name = f"1_elasticloadbalancing_eu-west-1_app.shop_{ended:%Y%m%dT%H%MZ}_10.0.0.1_x.log.gz"
        key = f"{ended:%Y/%m/%d}/{name}"
        files.setdefault(key, []).append(line)
        hour = f"{when:%d %H}"
        expected[hour, customer] = expected.get((hour, customer), Decimal(0)) + 10 * i
    files[next(iter(files))].append("h2 not a line\n")
    for key, lines in files.items():
        body = gzip.compress("".join(lines).encode())
        s3_client.put_object(Bucket=bucket, Key=f"AWSLogs/1/elasticloadbalancing/eu-west-1/{key}", Body=body)
    pulling.given["s3"] = S3Settings(endpoint_url=s3_endpoint, region_name="us-east-1")
    pull = (
        f"name: shop, source: alb_logs, from: 's3://{bucket}/AWSLogs/1/elasticloadbalancing/eu-west-1/', "
        "stream: requests, since: 2026-07-01, customer: host, customer_pattern: '^([^.]+)[.]'"
    )
    result = pulling.one(f"{pull}, value: sent_bytes", datetime(2026, 7, 2, 7, 0))
    assert result.remarks == ("1 lines are not of the form an ALB access log entry, such as: h2 not a line",)
    assert pulling.landed() == {key: value for key, value in expected.items() if value}
    counted = pulling.one(pull, datetime(2026, 7, 2, 7, 0), days=(FIRST, FIRST))
    assert (counted.days[0].quantity, counted.days[0].quantity_without_customer) == (120, 0)


NGINX = """\
acme.example.com 203.0.113.7 - - [01/Jul/2026:23:59:59 -0200] "GET /?b HTTP/1" 200 512 "-" "curl" tenant=acme
198.51.100.4 - alice smith [01/Jul/2026:10:00:00 +0000] "POST /t/bob/x HTTP/2.0" 201 7 "https://x/" "Mozilla"
2001:db8::1 - - [01/Jul/2026:10:30:00 +0000] "\\x16\\x03\\x01" 400 150 "-" "-"
198.51.100.4 - - [01/Jul/2026:10:59:59 +0000] "GET /t/bob/y HTTP/1.1" 200 - "-" "curl/8"
198.51.100.4 - - [30/Jun/2026:10:59:59 +0000] "GET /t/bob/y HTTP/1.1" 200 5 "-" "curl/8"
"""


def test_nginx_logs_in_a_folder(pulling: Pulling, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    lines = NGINX.splitlines(keepends=True)
    (folder / "access.log").write_text("".join(lines[:2]))
    (folder / "access.log.1.gz").write_bytes(gzip.compress("".join(lines[2:]).encode()))
    pull = f"name: web, source: nginx_logs, from: '{folder}', stream: requests, since: 2026-07-01"
    path = f"{pull}, customer: path, customer_pattern: '^/t/([^/]+)/'"
    result = pulling.one(f"{path}, value: sent_bytes")
    assert pulling.landed() == {("01 10", "bob"): Decimal(7)}
    assert [day.quantity_without_customer for day in result.days] == [150, 512, 0]
    for customer, expected in (
        ("host", {"acme.example.com"}),
        ("rest, customer_pattern: 'tenant=(.+)'", {"acme"}),
        ("user", {"alice smith"}),
        ("client", {"203.0.113.7", "198.51.100.4", "2001:db8::1"}),
    ):
        every = pulling.one(f"{pull}, customer: {customer}", days=(FIRST, date(2026, 7, 2)))
        assert {each for day in every.days for each in day.customers} == expected
        assert sum(day.quantity for day in every.days) == 4


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_latest_inventory_of_a_day(pulling: Pulling, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "inventory"
    (folder / "data").mkdir(parents=True)
    keys = [("customers/a b/1", 10), ("customers/a b/2 ü", 5), ("customers/bob/1", 2**40), ("logs/x", 3)]
    for number, chosen in enumerate((keys[:1], keys)):
        name = f"data/{number}.{'csv.gz' if kind == 'csv' else 'parquet'}"
        if kind == "csv":
            rows = [f'"b","{urllib.parse.quote_plus(key, safe="/")}","{size}"' for key, size in chosen]
            (folder / name).write_bytes(
                gzip.compress("\n".join([*rows, '"b","customers/bob/gone",""']).encode())
            )
        else:
            values = ", ".join(f"('b', '{key}', {size})" for key, size in chosen)
            duckdb.sql(f"copy (select * from (values {values}) as t(bucket, key, size)) to '{folder / name}'")
        manifest = {
            "sourceBucket": "b",
            "destinationBucket": "arn:aws:s3:::inventories",
            "fileFormat": kind.upper() if kind == "csv" else "Parquet",
            "fileSchema": "Bucket, Key, Size" if kind == "csv" else "message s3.inventory { … }",
            "files": [{"key": f"all/b/daily/{name}", "size": 1, "MD5checksum": "x"}],
        }
        place = folder / f"2026-07-02T0{number}-00Z"
        place.mkdir()
        (place / "manifest.json").write_text(json.dumps(manifest))
    pull = f"name: stored, source: s3_inventory, from: '{folder}', stream: stored_bytes, since: 2026-07-01"
    result = pulling.one(f"{pull}, customer: key, customer_pattern: '^customers/([^/]+)/'")
    assert [day.day.day for day in result.days] == [1, 2]
    assert pulling.landed() == {("02 00", "a b"): Decimal(15), ("02 00", "bob"): Decimal(2**40)}
    assert result.days[1].quantity_without_customer == 3


def test_a_run_pulls_and_a_pull_that_fails_is_a_warning(pulling: Pulling, tmp_path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    good = SQL.format(address=database(tmp_path, [(f"{yesterday:%Y-%m-%d} 10:00:00", "ada", 5)]))
    good = good.replace("2026-07-01", f"{yesterday:%Y-%m-%d}")
    pulling.write(good.replace("name: app", "name: broken").replace("from usage", "from usages"), good)
    settings = Settings(**pulling.given)
    result = landed_in_dagster(TELEMETRY, settings)
    [shown] = [
        event.materialization.metadata["pulls"].value
        for event in result.get_asset_materialization_events()
        if event.materialization.asset_key.path[-1] == "telemetry_pulls"
    ]
    assert "1 records of 1 customers, 5 requests" in str(shown)
    landing = settings.landing_folder
    assert duckdb.sql(
        f"select customer_id, value from '{landing}/telemetry/records/*/*.parquet'"
    ).fetchall() == [("ada", Decimal(5))]
    notes = f"select code, severity, message, place from '{landing}/notes/telemetry/pulls.parquet'"
    assert duckdb.sql(notes).fetchall() == [
        ("usage-not-pulled", "warning", "the query failed: no such table: usages", "contexts/usage.yml:2")
    ]
    done = CliRunner().invoke(
        app, ["pull", "app", "--workspace", str(tmp_path), "--contexts", str(pulling.contexts)]
    )
    assert (done.exit_code, done.output.count("1 records of 1 customers")) == (0, 1)
