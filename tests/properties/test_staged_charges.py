"""Every staged charge equals AWS' formulas taken in plain Python, on bills of all line item types.

One build of the real job holds bills of four kinds, an export each: FOCUS (CSV as of 1.0, Parquet as of 1.2),
CUR 2.0 in two Parquet files with a discount programme's net columns, and legacy CUR in CSV without them. Both
CURs have instance hours over several purchase options with pods and tasks that take less than, all of, or
more than their instance, and Fargate tasks, which have none.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.automation.run import run_job
from orchestration.settings import BillingExport, Settings
from orchestration.sources.billing.landing import land_billing
from orchestration.sources.locations import open_location
from tests.examples import examples
from tests.properties import focus_bills
from tests.properties.amortised_costs import (
    COST_COLUMNS,
    REQUIRED,
    Key,
    Line,
    StagedCharge,
    causes_of,
    staged_charges,
)
from tests.properties.bill_columns import AMOUNTS, NET_AMOUNTS, TEXTS
from tests.properties.rendered_models import build

BILLS_OF_A_KIND = 4
CONTEXTS = Path(__file__).parent / "contexts_of_allocation"
MONTH = "2026-03"
TYPES = (
    *(
        "Usage",
        "DiscountedUsage",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
        "SavingsPlanRecurringFee",
    ),
    *("SavingsPlanUpfrontFee", "RIFee", "Fee", "Tax", "Credit", "Refund", "BundledDiscount", "EdpDiscount"),
    *("PrivateRateDiscount", "SppDiscount", "RiVolumeDiscount", "FlatRateSubscription", "ANewTypeOfCharge"),
)
POD_AMOUNTS = {name for name in (*AMOUNTS.values(), *NET_AMOUNTS) if name.startswith("split_line_item_")}
PURCHASE_OPTIONS = (
    ("Usage",),
    ("DiscountedUsage",),
    ("SavingsPlanCoveredUsage", "SavingsPlanNegation"),
    ("DiscountedUsage", "Usage", "SavingsPlanCoveredUsage", "SavingsPlanNegation"),
)


class RandomBill:
    """Lines of one export, in files filled one after the other."""

    def __init__(self, random: Random, source: str, files: tuple[str, ...], amounts: tuple[str, ...]) -> None:
        self.random = random
        self.source = source
        self.files = files
        self.amounts = amounts
        self.lines: dict[str, list[Line]] = {file: [] for file in files}

    def money(self) -> Decimal:
        # At most 13 digits: a double (what Parquet bills hold) keeps them all.
        amount = Decimal(self.random.randrange(10**13)).scaleb(-12 + self.random.randrange(4))
        return amount * self.random.choice([1, 1, 1, 1, 1, -1, 0])

    def line(self, start: datetime, texts: dict[str, str], **amounts: Decimal) -> Line:
        required = ("line_item_unblended_cost", *REQUIRED.get(texts["line_item_line_item_type"], ()))
        drawn = {
            name: self.money()
            for name in self.amounts
            if name not in POD_AMOUNTS and (name in required or self.random.random() < 0.85)
        }
        file = self.random.choice(self.files)
        texts = {"line_item_product_code": "AmazonEC2", "line_item_currency_code": "USD", **texts}
        line = Line(self.source, file, len(self.lines[file]) + 1, start, texts, drawn | amounts)
        self.lines[file].append(line)
        return line

    def fill(self) -> list[Line]:
        """Lines of all types, then instance hours with their pods."""
        for number in range(1200 // BILLS_OF_A_KIND):
            texts = {"line_item_line_item_type": TYPES[number % len(TYPES)]}
            texts["line_item_currency_code"] = self.random.choice(["USD", "EUR"])
            texts["line_item_product_code"] = self.random.choice(["AmazonS3", "AWSSupport", "m4rketplace☃"])
            if self.random.random() < 0.4:
                texts["reservation_reservation_a_r_n"] = "arn:aws:ec2:eu-west-1:000000000042:reserved/1"
            texts["line_item_line_item_description"] = self.random.choice(
                ["Refund for one-time fee for Savings Plan ID 7", "Refund for ComputeSavingsPlans", "bücher"]
            )
            self.line(self.hour(), texts)
        for number in range(250 // BILLS_OF_A_KIND):
            self.instance_hour(number)
        for number in range(60 // BILLS_OF_A_KIND):
            self.fargate_task(number)
        return [line for lines in self.lines.values() for line in lines]

    def hour(self) -> datetime:
        return datetime(2026, 3, self.random.randrange(1, 4), self.random.randrange(24))

    def instance_hour(self, number: int) -> None:
        start, instance = self.hour(), f"i-{number:017x}"
        common = {"line_item_currency_code": self.random.choice(["USD", "EUR"])}
        itself = common | {"line_item_resource_id": instance, "line_item_operation": "RunInstances"}
        total = Decimal(0)
        usage_type = self.random.choice(["EUW1-BoxUsage:m5.large", "SpotUsage:c5.xlarge"])
        for option in self.random.choice(PURCHASE_OPTIONS) if number % 10 else ():
            texts = {"line_item_line_item_type": option, "line_item_usage_type": usage_type}
            costs = {}
            if number % 10 == 1:  # amortised to nothing
                costs = {
                    name: Decimal(0) for name in self.amounts if "unblended" in name or "effective" in name
                }
            total += staged_cost(self.line(start, itself | texts, **costs))
        transfer = {
            "line_item_line_item_type": "Usage",
            "line_item_usage_type": "EUW1-DataTransfer-Out-Bytes",
        }
        self.line(start, itself | transfer)
        pods = self.random.randrange(1, 5)
        for pod in range(pods):
            self.pod(start, common, instance, f"pod-{pod}", total, pods, exactly=number % 3 == 0)

    def fargate_task(self, number: int) -> None:
        """Lines of a task without instance: its own money, whether a parent is named or not."""
        task = f"arn:aws:ecs:eu-west-1:000000000042:task/cluster/{number}"
        for resource in ("vCPU-Hours:perCPU", "GB-Hours"):
            texts = {
                "line_item_line_item_type": self.random.choice(["Usage", "SavingsPlanCoveredUsage"]),
                "line_item_product_code": "AmazonECS",
                "line_item_operation": "FargateTask",
                "line_item_usage_type": f"EUW1-Fargate-{resource}",
                "line_item_resource_id": task,
            }
            if number % 3 == 0:
                texts["split_line_item_parent_resource_id"] = task
            amounts = {
                name: self.money()
                for name in sorted(POD_AMOUNTS & set(self.amounts))
                if self.random.random() < 0.7
            }
            self.line(self.hour(), texts, **amounts)

    def pod(
        self,
        start: datetime,
        common: dict[str, str],
        node: str,
        name: str,
        total: Decimal,
        pods: int,
        exactly: bool,
    ) -> None:
        operation, kind = self.random.choice([("EKSPod-EC2", "EKS"), ("ECSTask-EC2", "ECS")])
        texts = common | {
            "line_item_line_item_type": "Usage",
            "line_item_operation": operation,
            "line_item_usage_type": f"EUW1-{kind}-EC2-vCPU-Hours",
            "line_item_resource_id": f"arn:aws:eks:eu-west-1:1:pod/cluster/ünï/{name}/{node}",
        }
        if self.random.random() < 0.95:
            texts["split_line_item_parent_resource_id"] = node
        amounts = {}
        part = (total / pods).quantize(Decimal("1e-12")) if exactly else self.money()
        amounts["split_line_item_split_cost"] = Decimal(repr(float(part)))
        for column in sorted(POD_AMOUNTS & set(self.amounts) - amounts.keys()):
            if self.random.random() < 0.7 and not (exactly and column == "split_line_item_unused_cost"):
                amounts[column] = self.money()
        self.line(start, texts, **amounts)


def staged_cost(line: Line) -> Decimal:
    """A line's own effective cost."""
    return next(iter(staged_charges([line]).values())).costs["effective_cost"]


def legacy_csv(random: Random, lines: list[Line], file: Path) -> None:
    def written(amount: Decimal) -> str:
        return f"{amount:E}" if random.random() < 0.5 else f"{amount:f}"

    with file.open("w", newline="", encoding="utf-8") as target:
        columns = TEXTS | AMOUNTS
        writer = csv.writer(target)
        writer.writerow(
            [
                "bill/PayerAccountId",
                "bill/BillingPeriodStartDate",
                "bill/BillingPeriodEndDate",
                "identity/LineItemId",
                "identity/TimeInterval",
                "lineItem/UsageAccountId",
                "lineItem/UsageStartDate",
                "lineItem/UsageEndDate",
                "lineItem/UsageAmount",
                "resourceTags/user:App",
                *columns,
            ]
        )
        for line in lines:
            start, end = (
                f"{when:%Y-%m-%dT%H:00:00Z}" for when in (line.start, line.start + timedelta(hours=1))
            )
            values = dict(line.texts) | {name: written(amount) for name, amount in line.amounts.items()}
            writer.writerow(
                [
                    "011254002932",
                    f"{MONTH}-01T00:00:00Z",
                    "2026-04-01T00:00:00Z",
                    f"line-{line.row}",
                    f"{start}/{end}",
                    "000000000042",
                    start,
                    end,
                    line.row,
                    f"☃ {line.row}",
                    *(values.get(name, "") for name in columns.values()),
                ]
            )


def cur_2(bill: RandomBill, location: Path) -> None:
    for file, lines in bill.lines.items():
        times = pa.timestamp("ms", tz="UTC")
        starts = [line.start.replace(tzinfo=UTC) for line in lines]
        same = {
            "bill_payer_account_id": "011254002932",
            "line_item_usage_account_id": "000000000042",
        }
        columns = {name: pa.array([text] * len(lines)) for name, text in same.items()}
        columns["bill_billing_period_start_date"] = pa.array(
            [datetime(2026, 3, 1, tzinfo=UTC)] * len(lines), times
        )
        columns["bill_billing_period_end_date"] = pa.array(
            [datetime(2026, 4, 1, tzinfo=UTC)] * len(lines), times
        )
        columns["identity_line_item_id"] = pa.array([f"line-{line.row}" for line in lines])
        columns["line_item_usage_start_date"] = pa.array(starts, times)
        columns["line_item_usage_end_date"] = pa.array(
            [start + timedelta(hours=1) for start in starts], times
        )
        columns["line_item_usage_amount"] = pa.array([float(line.row) for line in lines])
        tags = [[("user_app", f"☃ {line.row}")] for line in lines]
        columns["resource_tags"] = pa.array(tags, pa.map_(pa.string(), pa.string()))
        for name in TEXTS.values():
            columns[name] = pa.array([line.texts.get(name) for line in lines], pa.string())
        for name in bill.amounts:
            amounts = [line.amounts.get(name) for line in lines]
            columns[name] = pa.array([None if a is None else float(a) for a in amounts], pa.float64())
        (location / file).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), location / file)
    manifest = location / "metadata" / f"BILLING_PERIOD={MONTH}" / "hourly-Manifest.json"
    manifest.parent.mkdir(parents=True)
    content = {
        "executionId": "e1",
        "exportArn": "arn:aws:bcm-data-exports:us-east-1:011254002932:export/hourly",
        "columns": [{"name": "line_item_unblended_cost", "type": "double"}],
        "dataFiles": [f"s3://a-bucket/exports/hourly/{file}" for file in bill.files],
    }
    manifest.write_text(json.dumps(content), encoding="utf-8")


Causes = dict[tuple[str, str, str], Decimal]


FOCUS_KINDS = (("focus_csv", "focus.csv", 21), ("focus_parquet", "focus.parquet", 20))


def focus(folder: Path, random: Random, bills_of_a_kind: int) -> tuple[dict[Key, StagedCharge], Causes]:
    """Write two FOCUS bills; what staging has to make of them, and what sets their costs apart."""
    wanted = {}
    causes: Causes = defaultdict(Decimal)
    for number, (kind, file, digits) in enumerate(bills_of_a_kind * FOCUS_KINDS):
        source = f"{kind}_{number}"
        rows = focus_bills.random_rows(random, file, 400 // BILLS_OF_A_KIND, digits)
        (folder / source).mkdir()
        if file.endswith(".csv"):
            focus_bills.write_csv(random, rows, folder / source / file)
        else:
            focus_bills.write_parquet(rows, folder / source / file)
        wanted |= focus_bills.staged(source, rows)
        currency = "USD" if file.endswith(".csv") else "EUR"
        for cause, amount in map(focus_bills.cause_of, rows):
            causes[source, currency, cause] += amount
    return wanted, causes


def some_of(random: Random, amounts: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that a bill has: all that it cannot do without, and most of the others."""
    kept = {
        "line_item_unblended_cost",
        "split_line_item_split_cost",
        *(c for r in REQUIRED.values() for c in r),
    }
    return tuple(name for name in amounts if name in kept or random.random() < 0.8)


def write_bills(
    folder: Path, random: Random, bills_of_a_kind: int
) -> tuple[tuple[BillingExport, ...], list[list[Line]], dict[Key, StagedCharge], Causes]:
    files = tuple(f"data/BILLING_PERIOD={MONTH}/hourly-{n}.parquet" for n in (1, 2))
    bills = []
    for number in range(bills_of_a_kind):
        amounts = some_of(random, (*AMOUNTS.values(), *NET_AMOUNTS))
        net = RandomBill(random, f"net_{number}", files, amounts)
        gross = RandomBill(random, f"gross_{number}", ("bill.csv",), some_of(random, tuple(AMOUNTS.values())))
        bills += [net.fill(), gross.fill()]
        cur_2(net, folder / net.source)
        (folder / gross.source).mkdir()
        legacy_csv(random, gross.lines["bill.csv"], folder / gross.source / "bill.csv")
    with localcontext(prec=60):  # sums of amounts of 21 digits
        in_focus, causes = focus(folder, random, bills_of_a_kind)
        for line in (line for bill in bills for line in bill if not line.is_split):
            for cause, amount in causes_of(line).items():
                causes[line.source, line.texts["line_item_currency_code"], cause] += amount
    exports = tuple(BillingExport(name=each.name, location=str(each)) for each in sorted(folder.iterdir()))
    assert len(exports) == 4 * bills_of_a_kind
    return exports, bills, in_focus, causes


STAGED = f"""
    select charge_id, charge_category, commitment_discount_status, x_split_part, {", ".join(COST_COLUMNS)},
        tags['app'] = '☃ ' || x_landed_row
    from
"""


def check_charges(
    rows: list[tuple[Any, ...]], bills: list[list[Line]], in_focus: dict[Key, StagedCharge]
) -> None:
    charges = dict(in_focus)
    for bill in bills:
        charges |= staged_charges(bill)
    wanted = {
        key: (charge.category, charge.status, charge.split_part, *(charge.costs[c] for c in COST_COLUMNS))
        for key, charge in charges.items()
    }
    got = {key_of(row[0]): row[1:-1] for row in rows}
    assert len(got) == len(rows)
    assert all(row[-1] for row in rows)
    different = {key: (got.get(key), charge) for key, charge in wanted.items() if got.get(key) != charge}
    assert different == {}
    assert got.keys() == wanted.keys()
    sums = totals(rows)
    assert {bill[0].source: sums[bill[0].source] for bill in bills} == totals_of_lines(bills)


@settings(
    max_examples=examples(2),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(seed=st.integers(0, 2**32))
def test_staging_alone_gives_what_aws_formulas_make_of_a_line(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The models of staging on landed bills, without the job around them."""
    root = tmp_path_factory.mktemp("bills")
    (root / "exports").mkdir()
    exports, bills, in_focus, causes = write_bills(root / "exports", Random(seed), 1)
    land_billing(exports, lambda place: open_location(place, lambda: None), root / "landing")
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        for table, files in (
            ("aws_cur_charges", "aws_cur/*/*/*.parquet"),
            ("focus_charges", "focus/*/*/*.parquet"),
            ("billing_days", "days/*/*/days.parquet"),
        ):
            connection.execute(
                f"create view {table} as from read_parquet('{root}/landing/billing/{files}', "
                "hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
            )
        for model in ("stg_aws_cur__charges", "stg_focus__charges", "cost_findings"):
            build(connection, model)
        rows = connection.execute(
            f"{STAGED} stg_aws_cur__charges union all {STAGED} stg_focus__charges"
        ).fetchall()
        quantities = connection.execute(
            "select x_source_name, sum(consumed_quantity) from stg_aws_cur__charges group by all"
        ).fetchall()
        found = connection.execute(
            "select x_source_name, billing_currency, detail, sum(amount) from cost_findings "
            "where finding = 'cause' group by all having sum(amount) <> 0"
        ).fetchall()
    check_charges(rows, bills, in_focus)
    # What a line used is on one of its charges, and negations repeat what is used already.
    assert dict(quantities) == {
        bill[0].source: sum(
            line.row for line in bill if line.texts["line_item_line_item_type"] != "SavingsPlanNegation"
        )
        for bill in bills
    }
    assert {tuple(row[:3]): row[3] for row in found} == {key: cost for key, cost in causes.items() if cost}


# A smaller seed is not a simpler case: nothing to shrink.
@settings(
    max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(seed=st.integers(0, 2**32))
def test_every_charge_is_what_aws_formulas_make_of_its_line(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bills")
    exports, bills, in_focus, causes = write_bills(folder, Random(seed), BILLS_OF_A_KIND)
    workspace = folder / "workspace"
    workspace.mkdir()
    assert run_job(Settings(workspace=workspace, contexts=CONTEXTS, billing_exports=exports))
    with duckdb.connect(str(workspace / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(f"{STAGED} staging.charges").fetchall()
        moved = connection.execute(MOVED).fetchall()
        bridge = connection.execute(
            "select x_source_name, billing_currency, cause, sum(amount) from marts.cost_bridge "
            "where cause not in ('billed cost', 'effective cost') group by all"
        ).fetchall()
    check_charges(rows, bills, in_focus)
    assert moved == []
    found = {(source, currency, cause): amount for source, currency, cause, amount in bridge}
    assert found == {about: amount for about, amount in causes.items() if amount}


# Staged without pods, an instance's line has its whole cost; with them, it and its pods together.
MOVED = f"""
    with
        wholes as (
            select line_item_id, billed_cost, covered_or_plain_cost as effective_cost, contracted_cost,
                list_cost, net_covered_or_plain_cost as x_net_effective_cost
            from staging.stg_aws_cur__line_items
        ),
        own_rows as (
            select line_item_id, {", ".join(COST_COLUMNS)}
            from staging.stg_aws_cur__pods
            where charge_id = line_item_id
        )
    select wholes.line_item_id
    from own_rows
    inner join wholes using (line_item_id)
    inner join staging.charges on charges.charge_id = wholes.line_item_id
    where {" or ".join(f"charges.{c} - own_rows.{c} <> wholes.{c}" for c in COST_COLUMNS)}
"""


def key_of(charge_id: str) -> Key:
    source, _, *rest = charge_id.split("/")
    return source, *rest


def totals(rows: list[tuple[object, ...]]) -> dict[str, Decimal]:
    """Billed cost per source."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[str(row[0]).split("/")[0]] += row[4]
    return dict(sums)


def totals_of_lines(bills: list[list[Line]]) -> dict[str, Decimal]:
    """What the invoice says: pods and tasks are no lines of it."""
    return {
        bill[0].source: sum(
            (line.first("line_item_unblended_cost") for line in bill if not line.is_split), Decimal(0)
        )
        for bill in bills
    }
