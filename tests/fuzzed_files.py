"""Broken files for every reader, made from good ones by chance, and what the reader says of each.

`python -m tests.fuzzed_files SOURCE SEED COUNT FOLDER` reads COUNT of them within a limit of memory, and
prints one line of JSON: how many were read, rejected or refused with a clear error, and what else happened.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import resource
import shutil
import sys
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from logging import getLogger
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.settings import ExpectedError, Settings
from orchestration.sources import SOURCES
from orchestration.sources.locations import open_of
from orchestration.sources.source import LandingRequest
from orchestration.warehouse.generate import compile_project
from tests import fuzzed_pulls
from tests.end_to_end import small_company

MEMORY = 6 << 30
NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
TOGETHER = 25  # files in one landing, of sources that reject files one by one
ALONE = {"billing", "customers", "revenue", "pulls"}

_LEGACY = {
    "identity/LineItemId": "abc",
    "identity/TimeInterval": "2026-07-03T00:00:00Z/2026-07-03T01:00:00Z",
    "bill/PayerAccountId": "011254002932",
    "bill/BillingPeriodStartDate": "2026-07-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2026-08-01T00:00:00Z",
    "lineItem/UsageAccountId": "000000000042",
    "lineItem/LineItemType": "Usage",
    "lineItem/UsageStartDate": "2026-07-03T00:00:00Z",
    "lineItem/UsageEndDate": "2026-07-03T01:00:00Z",
    "lineItem/ProductCode": "AmazonEC2",
    "lineItem/ResourceId": "i-0abc",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UnblendedCost": "1.25",
    "resourceTags/user:team": "web",
}
_CUR_2 = {
    "identity_line_item_id": "abc",
    "identity_time_interval": _LEGACY["identity/TimeInterval"],
    "bill_payer_account_id": "011254002932",
    "bill_billing_period_start_date": "2026-07-01T00:00:00Z",
    "bill_billing_period_end_date": "2026-08-01T00:00:00Z",
    "line_item_usage_account_id": "000000000042",
    "line_item_line_item_type": "Usage",
    "line_item_usage_start_date": "2026-07-03T00:00:00Z",
    "line_item_usage_end_date": "2026-07-03T01:00:00Z",
    "line_item_product_code": "AmazonEC2",
    "line_item_resource_id": "i-0abc",
    "line_item_currency_code": "USD",
    "line_item_unblended_cost": "1.25",
    "resource_tags": '{"user_team": "web"}',
}
_FOCUS = {
    "BillingPeriodStart": "2026-07-01T00:00:00Z",
    "BillingPeriodEnd": "2026-08-01T00:00:00Z",
    "ChargePeriodStart": "2026-07-03T10:00:00Z",
    "ChargePeriodEnd": "2026-07-03T11:00:00Z",
    "BillingCurrency": "USD",
    "BilledCost": "1.5",
    "EffectiveCost": "1.25",
    "ListCost": "2",
    "ContractedCost": "1.75",
    "ChargeCategory": "Usage",
    "ProviderName": "AWS",
    "ServiceName": "Amazon EC2",
    "BillingAccountId": "011254002932",
    "ResourceId": "i-0abc",
    "Tags": '{"team": "web"}',
}
_PLAIN = {"date": "2026-07-03", "service": "mail", "amount": "12.50", "currency": "USD", "team": "web"}
_USAGE = {
    "stream": "searches",
    "timestamp": "2026-07-20T14:05:00Z",
    "customer_id": "ada",
    "value": "1250",
    "operation": "sum",
    "record_id": "r1",
}
_KEYS = {"customer_id", "resource_id", "account_id", "record_id"}
_TAGS = '{"team": "web"}'
_ALLOCATION = {
    "name": "prod/node-1/web/web-1/app",
    "properties": {"cluster": "prod", "node": "node-1", "namespace": "web", "pod": "web-1"},
    "window": {"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T01:00:00Z"},
    "cpuCost": 0.1,
    "ramCost": 0.2,
}
_USAGE_FILE = """\
pulls:
  - name: gateway
    source: prometheus
    from: http://prometheus:9090
    query: sum by (tenant) (increase(http_requests_total[1h]))
    customer: tenant
    stream: searches
    customer_pattern: ^tenant-(.+)$
    filter: {feature: [Search]}
    since: 2026-10-01
    late_days: 1
  - name: jobs
    source: cloudwatch
    from: eu-west-1
    namespace: App
    metric: Jobs
    dimensions: [Tenant, Stage]
    customer: Tenant
    stream: searches
otlp:
  - span: gen_ai.usage.output_tokens
    customer: tenant.id
    stream: searches
    where: {gen_ai.provider.name: aws.bedrock}
    filter_from: {feature: gen_ai.response.model}
"""
ROWS: dict[str, list[dict[str, Any]]] = {
    "billing": [_LEGACY, _CUR_2, _FOCUS, _PLAIN],
    "telemetry": [_USAGE],
    "customers": [{"customer_id": "ada", "customer_name": "Ada", "segment": "pro", "aliases": "a1; a2"}],
    "revenue": [{"customer_id": "ada", "period": "2026-07", "amount": "1250.50", "currency": "USD"}],
    "inventory": [
        {
            "snapshot_time": "2026-05-01T06:00:00Z",
            "resource_id": "vol-1",
            "resource_type": "ec2:volume",
            "tags": _TAGS,
            "attributes": '{"size": "8"}',
        }
    ],
    "accounts": [
        {
            "snapshot_time": "2026-05-01T06:00:00Z",
            "account_id": "011254002932",
            "account_name": "main",
            "tags": _TAGS,
        }
    ],
    "deployments": [{"deployed_at": "2026-05-01T06:00:00Z", "service": "web", "version": "1.2"}],
    "opencost": [_ALLOCATION],
    "exchange_rates": [{"date": "2026-05-01", "from": "USD", "to": "EUR", "rate": "0.92"}],
}
HOSTILE = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "9" * 400,
    "-1",
    "1e400",
    "1e-400",
    "NaN",
    "Infinity",
    "0x10",
    "1,234.5",
    "1.234,5",
    "--1",
    "2026-02-30",
    "0000-00-00",
    "292278-01-01T00:00:00Z",
    "2026-07-03T25:61:61Z",
    "24:00",
    "=cmd()",
    "'; drop table given; --",
    "{{ 7*7 }}",
    '"',
    '""""',
    "a,b;c\td",
    "\r",
    "\n",
    "é",
    "e\u0301",
    "\u202e",
    "\ufeff",
    "\U0001f4a9" * 50,
    "x" * 100_000,
    "null",
    "[]",
    "{}",
    "[" * 2000,
    '{"a":' * 500,
    '{"a": 1, "a": 2}',
    "true",
    "unallocated",
    "../../etc/passwd",
    "%s%n",
    "\\",
    "$1",
]


class Fuzzer:
    """Makes files for one source; the same seed makes the same files."""

    def __init__(self, source: str, seed: int) -> None:
        self.source = source
        self.chance = random.Random(f"{source}-{seed}")

    def file(self) -> tuple[str, bytes]:
        """An ending, and a content that may be anything."""
        if self.source == "pulls":
            return fuzzed_pulls.file(self.chance, self._damaged)
        rows = self._rows()
        ending, content = self.chance.choice(self._forms())(rows)
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 5))):
            content = self._damaged(content)
        if self.chance.random() < 0.15:
            content = gzip.compress(content, mtime=0)
            ending += ".gz"
            if self.chance.random() < 0.5:
                content = self._damaged(content)
        return ending, content

    def contexts(self) -> dict[str, bytes]:
        """The files of a contexts folder, one of them broken."""
        texts = {**small_company.CONTEXTS, "usage.yml": _USAGE_FILE}
        files = {name: text.encode() for name, text in texts.items()}
        name = self.chance.choice([*files, "usage.yml"])
        for _ in range(self.chance.choice((1, 1, 3))):
            if self.chance.random() < 0.5:
                words = files[name].split(b" ")
                words[self.chance.randrange(len(words))] = self.chance.choice(HOSTILE).encode()
                files[name] = b" ".join(words)
            else:
                files[name] = self._damaged(files[name])
        return files

    def _rows(self) -> list[dict[str, Any]]:
        row = self.chance.choice(ROWS[self.source])
        rows = [
            {name: f"{value}{number}" if name in _KEYS and number else value for name, value in row.items()}
            for number in range(self.chance.choice((1, 2, 3, 20)))
        ]
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            changed = self.chance.choice(rows)
            name = self.chance.choice(list(changed))
            action = self.chance.random()
            if action < 0.7:
                changed[name] = self.chance.choice(HOSTILE)
            elif action < 0.85:
                del changed[name]
            else:
                for each in rows:
                    each[self.chance.choice(HOSTILE)[:50]] = each.pop(name, None)
        return rows

    def _forms(self) -> list[Callable[[list[dict[str, Any]]], tuple[str, bytes]]]:
        if self.source == "opencost":
            return [_document, _jsonl]
        if self.source == "billing":
            return [_csv, _csv, _zip, _parquet]
        if self.source == "revenue":
            return [_csv, _csv, _parquet]
        return [_csv, _jsonl, _jsonl, _parquet]

    def _damaged(self, content: bytes) -> bytes:
        at = self.chance.randrange(len(content) + 1)
        length = self.chance.choice((1, 2, 10, 100))
        other = self.chance.randbytes(length)
        text = self.chance.choice(HOSTILE).encode()
        lines = content.split(b"\n")
        line = self.chance.randrange(len(lines))
        return self.chance.choice(
            (
                lambda: content[:at],
                lambda: content[at:],
                lambda: content[:at] + other + content[at + length :],
                lambda: content[:at] + other + content[at:],
                lambda: content[:at] + text + content[at:],
                lambda: content[:at] + content[at + length :],
                lambda: content.replace(b",", self.chance.choice((b";", b"\t", b"|", b",,"))),
                lambda: content.replace(b"\n", self.chance.choice((b"\r\n", b"\r", b"\n\n", b""))),
                lambda: b"\n".join([*lines[:line], lines[line] * 3, *lines[line:]]),
                lambda: b"\xef\xbb\xbf" + content,
                lambda: b"\xff\xfe" + content.decode("latin-1").encode("utf-16-le"),
                lambda: content.decode("latin-1").encode("utf-16-be"),
                lambda: b"",
            )
        )()


def _header(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _csv(rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    text = io.StringIO()
    writer = csv.DictWriter(text, _header(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return ".csv", text.getvalue().encode()


def _zip(rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bill.csv", _csv(rows)[1])
    return ".csv.zip", packed.getvalue()


def _jsonl(rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    return ".jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _document(rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    return ".json", json.dumps({"code": 200, "data": [{row.get("name", "x"): row for row in rows}]}).encode()


def _parquet(rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    columns = {name: [row.get(name) and str(row[name]) for row in rows] for name in _header(rows)}
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    return ".parquet", packed.getvalue()


def land(source_name: str, folder: Path) -> None:
    """Land what is in a workspace of one source."""
    source = next(source for source in SOURCES if source.name == source_name)
    settings = Settings(workspace=folder, contexts=folder / "contexts")
    source.landing.ensure_landing(settings.landing_folder)
    request = LandingRequest(settings, open_of(settings), NOW, getLogger("fuzz"), {"2026-07"})
    for _ in source.landing.land(request):
        pass


def verdicts(source: str, files: dict[str, bytes], folder: Path) -> dict[str, str]:
    """What is said of each file: `read`, `rejected`, `error`, or a traceback."""
    shutil.rmtree(folder, ignore_errors=True)
    if source == "pulls":
        try:
            return {name: fuzzed_pulls.verdict(name, content, folder) for name, content in files.items()}
        except BaseException:  # noqa: BLE001 (as below)
            return dict.fromkeys(files, traceback.format_exc())
    place = folder / ("contexts" if source == "contexts" else f"sources/{source}")
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    try:
        if source == "contexts":
            problems = compile_project(place).problems
            # Each names its file and line.
            unclear = [str(each) for each in problems if ".yml" not in str(each)]
            return {"contexts": "\n".join(unclear) or ("error" if problems else "read")}
        land(source, folder)
    except ExpectedError as error:
        said = str(error)
        named = [name for name in files if name in said]
        return dict.fromkeys(files, "error" if named else f"names no file: {said}")
    except BaseException:  # noqa: BLE001 (whatever it is, it is no clear answer)
        return dict.fromkeys(files, traceback.format_exc())
    rejected = _texts_of_rejected(folder / "landing")
    return {name: "rejected" if name in rejected else "read" for name in files}


def _texts_of_rejected(landing: Path) -> str:
    paths = [*landing.rglob("rejected.parquet"), *landing.rglob("quarantine*/*.parquet")]
    paths += [*landing.rglob("quarantine.parquet"), *landing.rglob("notes/*/*.parquet")]
    texts = []
    for path in paths:
        rows = pq.read_table(path, partitioning=None).to_pylist()
        texts += [" ".join(map(str, row.values())) for row in rows]
    return "\n".join(texts)


def fuzz(source: str, seed: int, count: int, folder: Path) -> dict[str, Any]:
    """Read so many files; returns the number of each verdict, and the first files without a clear one."""
    fuzzer = Fuzzer(source, seed)
    counts: Counter[str] = Counter()
    unclear: list[dict[str, str]] = []
    made = 0
    while made < count:
        if source == "contexts":
            files = fuzzer.contexts()
            made += 1
        else:
            files = {}
            for _ in range(min(1 if source in ALONE else TOGETHER, count - made)):
                ending, content = fuzzer.file()
                # A folder of snapshots has each thing once at a time.
                files[f"{made}/file{made}x{ending}"] = content
                made += 1
        for name, verdict in verdicts(source, files, folder).items():
            if verdict in ("read", "rejected", "error"):
                counts[verdict] += 1
            else:
                counts["unclear"] += 1
                kept = folder.with_name(f"{source}-{seed}-{name.replace('/', '-')}")
                if name in files:
                    kept.write_bytes(files[name])
                unclear.append({"file": str(kept), "said": "\n".join(verdict.splitlines()[-6:])[-800:]})
    return {"source": source, "counts": counts, "unclear": unclear[:5]}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    name, seed_text, count_text, place_text = sys.argv[1:]
    print(json.dumps(fuzz(name, int(seed_text), int(count_text), Path(place_text) / "work")))
