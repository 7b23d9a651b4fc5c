"""Broken files: every reader names what is wrong, or rejects rows, within limits of time and memory.

Some hundreds of files in `make test`, 10,000 in `make faults`. Each reader runs in a process of its own.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests import fuzzed_files
from tests.examples import LONG

# Files of each reader in `make test`, and in the long form.
COUNTS = {
    "billing": (10, 1000),
    "telemetry": (40, 2500),
    "customers": (20, 1000),
    "revenue": (20, 1000),
    "inventory": (20, 1000),
    "accounts": (20, 700),
    "deployments": (20, 1000),
    "opencost": (20, 800),
    "exchange_rates": (20, 500),
    "contexts": (40, 1000),
    "pulls": (20, 700),
}
SECONDS = 120


def read_in_process(source: str, folder: Path, program: str, *arguments: str) -> str:
    """What a process prints that may use so much memory and time, and no more."""
    done = subprocess.run(
        [sys.executable, "-c", program, source, str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS * (20 if LONG > 1 else 1),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


_FUZZ = """
import json, resource, sys
from pathlib import Path
from tests import fuzzed_files
resource.setrlimit(resource.RLIMIT_AS, (fuzzed_files.MEMORY, fuzzed_files.MEMORY))
source, folder, seed, count = sys.argv[1:]
print(json.dumps(fuzzed_files.fuzz(source, int(seed), int(count), Path(folder) / "work")))
"""
_ONE = """
import json, resource, sys
from pathlib import Path
from tests import fuzzed_files
resource.setrlimit(resource.RLIMIT_AS, (fuzzed_files.MEMORY, fuzzed_files.MEMORY))
source, folder, name = sys.argv[1:]
content = (Path(folder) / name).read_bytes()
print(json.dumps(fuzzed_files.verdicts(source, {name: content}, Path(folder) / "work")))
"""


@pytest.mark.parametrize("source", COUNTS)
def test_every_broken_file_has_a_clear_answer(source: str, tmp_path: Path) -> None:
    short, long = COUNTS[source]
    count = long if LONG > 1 else short
    found: dict[str, Any] = json.loads(read_in_process(source, tmp_path, _FUZZ, str(LONG), str(count)))
    print(f"{source}: {found['counts']}")
    assert found["unclear"] == []
    # The files are broken enough, and not all of them.
    assert sum(found["counts"].values()) >= count
    assert found["counts"]["read"] > 0
    assert found["counts"].get("rejected", 0) + found["counts"].get("error", 0) > 0


def verdict(source: str, name: str, content: bytes, folder: Path) -> str:
    (folder / name).write_bytes(content)
    said: dict[str, str] = json.loads(read_in_process(source, folder, _ONE, name))
    return said[name]


def csv_of(source: str) -> bytes:
    return fuzzed_files._csv([dict(fuzzed_files.ROWS[source][0])])[1]


def bomb(start: bytes, end: bytes, size: int = 1 << 30) -> bytes:
    """A text that is 1 GB long in one line, and one MB packed."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(start)
        block = b"a" * (1 << 20)
        for _ in range(size >> 20):
            file.write(block)
        file.write(end)
    return packed.getvalue()


@pytest.mark.parametrize("source", ["billing", "telemetry", "customers", "revenue", "deployments"])
def test_a_line_of_one_gigabyte_from_a_small_file_is_refused(source: str, tmp_path: Path) -> None:
    """A gzip bomb is the same for the reader."""
    if LONG == 1 and source not in ("telemetry", "deployments"):
        pytest.skip("make faults tries every reader")
    content = bomb(csv_of(source) + b'"', b'"\n')
    assert verdict(source, "bomb.csv.gz", content, tmp_path) in ("error", "rejected")


@pytest.mark.parametrize("source", ["telemetry", "deployments", "inventory", "opencost"])
def test_deep_json_is_refused(source: str, tmp_path: Path) -> None:
    deep = b"[" * 1_000_000 + b"]" * 1_000_000
    ending = "json" if source == "opencost" else "jsonl"
    assert verdict(source, f"deep.{ending}", deep + b"\n", tmp_path) == "rejected"


@pytest.mark.parametrize("source", ["billing", "telemetry", "revenue", "inventory"])
def test_a_parquet_file_that_lies_about_its_sizes_is_refused(source: str, tmp_path: Path) -> None:
    """Its footer promises the same file three times as long; rows and pages are not there."""
    rows = [dict(fuzzed_files.ROWS[source][0]) for _ in range(1000)]
    _, whole = fuzzed_files._parquet(rows)
    length = int.from_bytes(whole[-8:-4], "little")
    pages = whole[4 : -8 - length]
    content = b"PAR1" + pages[: len(pages) // 3] + whole[-8 - length :]
    assert verdict(source, "lying.parquet", content, tmp_path) in ("error", "rejected")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    if LONG == 1:
        pytest.skip("make faults")
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("bill.csv", "w", force_zip64=True) as file,
    ):
        file.write(csv_of("billing"))
        for _ in range(1 << 10):
            file.write(b"a" * (1 << 20))
    assert verdict("billing", "bomb.csv.zip", packed.getvalue(), tmp_path) == "error"


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("billing", "lineItem/ResourceId"),
        ("billing", "lineItem/UsageAccountId"),
        ("billing", "resourceTags/user:team"),
        ("telemetry", "customer_id"),
        ("customers", "customer_id"),
        ("revenue", "customer_id"),
        ("inventory", "resource_id"),
        ("accounts", "account_id"),
        ("deployments", "service"),
        ("opencost", "cluster"),
    ],
)
@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f"])
def test_control_characters_in_ids_are_rejected(
    source: str, column: str, character: str, tmp_path: Path
) -> None:
    """In this process: three small files each."""
    row = deepcopy(fuzzed_files.ROWS[source][0])
    given = row["properties"] if source == "opencost" else row
    given[column] = f"a{character}b"
    ending, content = fuzzed_files.Fuzzer(source, 0)._forms()[0]([row])
    said = fuzzed_files.verdicts(source, {f"ids{ending}": content}, tmp_path / "work")
    assert said[f"ids{ending}"] in ("error", "rejected")


def test_a_name_without_control_characters_is_read(tmp_path: Path) -> None:
    """Otherwise the test above would pass for readers that reject everything."""
    for source in fuzzed_files.ROWS:
        ending, content = fuzzed_files.Fuzzer(source, 0)._forms()[0]([dict(fuzzed_files.ROWS[source][0])])
        said = fuzzed_files.verdicts(source, {f"ids{ending}": content}, tmp_path / "work")
        assert said == {f"ids{ending}": "read"}, source
