"""Real bills, laid out in S3 as AWS delivers them, and a bill made by an outside generator, through the same
job: totals equal to the last digit.

The files are read from the folder that CPC_SHARED_DATA names, by default ../shared/data beside the project.
Their README has the totals below, and where they come from.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from orchestration.automation.run import run_job
from orchestration.settings import BillingExport, S3Settings, Settings, SparkSettings
from tests.end_to_end import generated_bill, small_company, source_sums
from tests.end_to_end.running import Company
from tests.end_to_end.spark_cluster import check_same_on_spark, needs_java
from tests.properties.amortised_costs import COST_COLUMNS
from tests.real_bills import DATA, needs_real_bills

FILES = {
    "2018-10": "Oct2018-WorkshopCUR-00001.snappy.parquet",
    "2018-11": "Nov2018-WorkshopCUR-00001.snappy.parquet",
    "2023-11": "aws-cur-legacy-sample.csv",
    "focus": "focus-1.0-sample.csv",
}
BUCKET = "bills"

pytestmark = needs_real_bills


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Any]]:
    """An S3 server with a bucket: its URL and a client of it."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield f"http://{host}:{port}", client
    server.stop()


def following(month: str) -> str:
    year, number = (int(part) for part in month.split("-"))
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def deliver(client: Any, report: str, month: str, name: str, content: bytes, compression: str) -> None:
    """Put one month of a legacy report into the bucket: the data, then the manifest that names it."""
    begin, end = month.replace("-", "") + "01", following(month).replace("-", "") + "01"
    folder = f"cur/{report}/{begin}-{end}"
    assembly = f"{begin}-first-delivery"
    client.put_object(Bucket=BUCKET, Key=f"{folder}/{assembly}/{name}", Body=content)
    manifest = {
        "assemblyId": assembly,
        "reportName": report,
        "compression": compression,
        "contentType": "Parquet" if compression == "Parquet" else "text/csv",
        "billingPeriod": {"start": f"{begin}T000000.000Z", "end": f"{end}T000000.000Z"},
        "bucket": BUCKET,
        "reportKeys": [f"{folder}/{assembly}/{name}"],
    }
    for place in (f"{folder}/{assembly}", folder):
        key = f"{place}/{report}-Manifest.json"
        client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(manifest).encode())


def put_telemetry(client: Any) -> None:
    """Usage of three customers on every day of the workshop months."""
    days = [f"2018-{month}-{day:02d}" for month, last in ((10, 31), (11, 30)) for day in range(1, last + 1)]
    records = [
        {
            "stream": "searches",
            "timestamp": f"{day}T{hour:02d}:00:00Z",
            "customer_id": customer,
            "value": value,
        }
        for day in days
        for hour in (0, 12)
        for customer, value in small_company.SEARCHES.items()
    ]
    text = "".join(json.dumps(record) + "\n" for record in records)
    client.put_object(Bucket=BUCKET, Key="telemetry/usage.jsonl.gz", Body=gzip.compress(text.encode()))


def write_contexts(folder: Path) -> None:
    small_company.write_contexts(folder)
    (folder / "dimensions" / "feature.yml").write_text(
        "dimension: feature\ndescription: By what AWS calls it\ndefault: Other\nrules:\n"
        "  - element: Search\n    when: {charge: x_service_code, equals: AmazonEC2}\n"
        "  - element: Exports\n    when: {charge: x_service_code, equals: AmazonS3}\n"
    )


@pytest.fixture(scope="module")
def real(s3: tuple[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The job run on all four files."""
    endpoint, client = s3
    for month in ("2018-10", "2018-11"):
        content = (DATA / FILES[month]).read_bytes()
        deliver(client, "workshop", month, "workshop-1.snappy.parquet", content, "Parquet")
    sample = gzip.compress((DATA / FILES["2023-11"]).read_bytes())
    deliver(client, "sample", "2023-11", "sample-1.csv.gz", sample, "GZIP")
    client.put_object(
        Bucket=BUCKET, Key="focus/focus-1.0-sample.csv", Body=(DATA / FILES["focus"]).read_bytes()
    )
    put_telemetry(client)
    company = Company(tmp_path_factory.mktemp("real"))
    generated_bill.write(company.root / "generated")
    write_contexts(company.root / "contexts")
    settings = Settings(
        workspace=company.settings.workspace,
        contexts=company.settings.contexts,
        s3=S3Settings(endpoint_url=endpoint, region_name="us-east-1"),
        billing_exports=(
            BillingExport(name="workshop", location=f"s3://{BUCKET}/cur/workshop"),
            BillingExport(name="sample", location=f"s3://{BUCKET}/cur/sample"),
            BillingExport(name="focus", location=f"s3://{BUCKET}/focus"),
            BillingExport(name="generated", location=str(company.root / "generated")),
        ),
        telemetry_location=f"s3://{BUCKET}/telemetry",
    )
    printed = io.StringIO()
    # The months with a manifest; the bare FOCUS file comes along with any of them.
    months = ["2018-10", "2018-11", "2023-11", generated_bill.MONTH]
    assert run_job(settings, months, Console(file=printed, width=200)), printed.getvalue()
    return company


def by_period(company: Company, column: str) -> dict[str, Decimal]:
    rows = company.read(
        f"select strftime(billing_month, '%Y-%m'), sum({column}) from customer_costs_daily group by all"
    )
    return dict(rows)


def hop_sums(
    company: Company, hop: str, months: tuple[str, ...], columns: Collection[str]
) -> dict[str, Decimal]:
    """What the reconciliation says of a hop: the sum of each of the columns that it has there."""
    query = f"""
        select cost_column, sum(hop_cost)
        from reconciliation
        where hop = '{hop}' and strftime(billing_month, '%Y-%m') in ('{"', '".join(months)}')
        group by all
    """
    return {name: amount for name, amount in company.read(query) if name in columns}


def focus_months(sums: dict[str, Decimal]) -> set[str]:
    return {period for period in sums if period >= "2024"} - {generated_bill.MONTH}


def test_every_total_is_the_one_of_the_bills(real: Company) -> None:
    """One test, because the run that it looks at is the longest there is."""
    billed = by_period(real, "billed_cost")
    assert billed["2018-10"] == Decimal("4064.483131537900")
    assert billed["2018-11"] == Decimal("3505.326968126800")
    assert billed["2023-11"] == Decimal("1.682308697400")
    assert sum(billed[period] for period in focus_months(billed)) == Decimal("20.520226728990")

    effective = by_period(real, "effective_cost")
    assert effective["2018-10"] == Decimal("4195.957109317900")
    assert effective["2018-11"] == Decimal("3632.559846496800")
    assert sum(effective[period] for period in focus_months(effective)) == Decimal("14.976514185860")

    at_list_price = by_period(real, "list_cost")
    assert at_list_price["2018-10"] == Decimal("4237.681735417500")
    assert at_list_price["2018-11"] == Decimal("3671.199305967000")

    (generated,) = (real.root / "generated").rglob("*.csv.gz")
    for of_file, file in (
        (source_sums.of_cur, generated),
        (source_sums.of_cur, DATA / FILES["2023-11"]),
        (source_sums.of_focus, DATA / FILES["focus"]),
    ):
        source = of_file(file)
        for column in COST_COLUMNS:
            found = by_period(real, column)
            assert (column, sum(found[month] for month in source.months)) == (column, source.sums[column])
        for hop in ("files", "landing"):
            assert hop_sums(real, hop, source.months, source.amounts) == {
                name: amount for name, amount in source.amounts.items() if amount
            }
    # A FOCUS file says all of its cost columns itself.
    assert hop_sums(real, "files", source.months, COST_COLUMNS) == source.sums

    months = "select billing_month, sum(billed_cost), sum(effective_cost) from {} group by all order by all"
    assert real.read(months.format("customer_costs_monthly")) == real.read(
        months.format("customer_costs_daily")
    )

    search = "feature = 'Search' and billing_month = '2018-10-01' and effective_cost > 0"
    carrying = real.read(f"select distinct customer_id from customer_costs_daily where {search} order by 1")
    assert carrying == [(customer,) for customer in sorted(small_company.SEARCHES)]

    assert real.read("select count(*) > 0 from reconciliation") == [(True,)]
    assert real.read("select count(*) from reconciliation where difference <> 0") == [(0,)]


@needs_java
def test_days_computed_on_spark_are_the_same(real: Company, spark: SparkSettings, tmp_path: Path) -> None:
    check_same_on_spark(spark, real.settings, tmp_path / "on_spark", batch_rows=80_000)
