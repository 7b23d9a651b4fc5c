"""OpenCost's exports: the forms they come in, what is not an allocation of a node, and what is read again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.sources.kubernetes import landed
from orchestration.sources.kubernetes.landing import OpenCostLanding, land_allocations
from orchestration.sources.locations import FolderLocation

WINDOW = {"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T01:00:00Z"}


class OpenCost:
    """Exports on one side, the landed allocations on the other."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.landing = folder / "landing"

    def land(self) -> OpenCostLanding:
        return land_allocations(FolderLocation(self.files), self.landing)

    def rows(self, columns: str = "*", folder: Path | None = None) -> list[tuple[Any, ...]]:
        where = folder or landed.allocations_folder(self.landing) / "*.parquet"
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {columns} FROM '{where}' ORDER BY ALL").fetchall()


@pytest.fixture
def opencost(tmp_path: Path) -> OpenCost:
    return OpenCost(tmp_path)


def allocation(name: str = "prod/node-1/web/web-1/app", **values: Any) -> dict[str, Any]:
    """An allocation as the API tells it."""
    properties = {
        "cluster": "prod",
        "node": "node-1",
        "providerID": "aws:///eu-central-1a/i-0abc",
        "namespace": "web",
        "controllerKind": "deployment",
        "controller": "web",
        "pod": "web-1",
        "container": "app",
        "labels": {"team": "web", "app": "x"},
    }
    costs = {"cpuCost": 0.1, "cpuCostAdjustment": -0.02, "ramCost": 1e-05, "gpuCost": 0, "pvCost": 9}
    return {"name": name, "properties": properties, "window": WINDOW, **WINDOW, **costs, **values}


def test_every_form_says_the_same(opencost: OpenCost) -> None:
    one = allocation()
    answer = json.dumps({"code": 200, "data": [{one["name"]: one}, {}]}, indent=2)
    (opencost.files / "answer.json.gz").write_bytes(gzip.compress(answer.encode()))
    (opencost.files / "lines.jsonl").write_text(json.dumps(one) + "\n")
    flat = {**one["properties"], **one, "labels": json.dumps(one["properties"]["labels"])}
    del flat["properties"], flat["window"]
    pq.write_table(pa.Table.from_pylist([flat]), opencost.files / "table.parquet")
    header, cells = zip(*flat.items(), strict=True)
    quoted = ",".join('"' + str(cell).replace('"', '""') + '"' for cell in cells)
    (opencost.files / "table.csv").write_text(f"{','.join(header)}\n{quoted}\n")

    landing = opencost.land()

    assert (landing.allocations, landing.rejected) == (4, {})
    told = ", ".join(name for name in landed.COLUMNS if name not in ("location", "modified", "file_row"))
    assert len(set(map(str, opencost.rows(told)))) == 1
    assert [str(value) for value in opencost.rows(told)[0]] == [
        *("2026-05-01 00:00:00", "2026-05-01 01:00:00", "prod", "node-1", "aws:///eu-central-1a/i-0abc"),
        *("web", "deployment", "web", "web-1", "{'app': 'x', 'team': 'web'}", "False"),
        *("0.080000000000", "0E-12", "0.000010000000"),
    ]


def test_only_new_files_are_read_and_what_is_gone_goes(opencost: OpenCost) -> None:
    first, second = opencost.files / "1.jsonl", opencost.files / "2.jsonl"
    first.write_text(json.dumps(allocation()) + "\n")
    assert len(opencost.land().files_read) == 1
    second.write_text(json.dumps(allocation("prod/node-1/__idle__")) + "\nnope\n")
    landing = opencost.land()
    assert (landing.files_read, landing.allocations) == ((str(second),), 2)
    assert (landing.rejected, opencost.rows("is_idle")) == ({"not-json": 1}, [(False,), (True,)])
    # What was rejected of a file that is not read again is still known.
    assert (opencost.land().files_read, opencost.land().rejected) == ((), {"not-json": 1})
    first.unlink()
    second.write_text(json.dumps(allocation(cpuCost=7)) + "\n")
    landing = opencost.land()
    assert (landing.files_gone, landing.rejected, landing.allocations) == (2, {}, 1)
    assert [str(cost) for (cost,) in opencost.rows("cpu_cost")] == ["6.980000000000"]


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        (allocation(window={"start": "now"}, end=None), "window-format", "window now to ? is invalid"),
        (
            allocation(properties={"cluster": "prod"}),
            "no-node",
            "the row says no node; ask OpenCost without aggregating nodes away, and for idle cost by node",
        ),
        (allocation(ramCost="much"), "cost-not-a-number", "a cost is not a number"),
        (allocation(labels=["team"]), "labels-not-an-object", 'labels ["team"] is not a JSON object'),
    ],
)
def test_what_is_no_allocation_of_a_node_is_rejected(
    opencost: OpenCost, row: dict[str, Any], reason: str, detail: str
) -> None:
    path = opencost.files / "a.jsonl"
    path.write_text(f"{json.dumps(allocation())}\n{json.dumps(row)}\n")
    landing = opencost.land()
    assert (landing.allocations, landing.rejected) == (1, {reason: 1})
    [(location, file_row, why)] = opencost.rows(
        "location, file_row, detail", landed.rejected_file(opencost.landing)
    )
    assert (location, file_row) == (str(path), 2)
    assert why.startswith(detail)


@pytest.mark.parametrize("content", ["[", '{"code": 400, "message": "no data"}'])
def test_an_answer_without_data_is_no_allocation(opencost: OpenCost, content: str) -> None:
    (opencost.files / "answer.json").write_text(content)
    landing = opencost.land()
    assert landing.allocations == 0
    assert landing.rejected in ({"unreadable": 1}, {"no-allocations": 1})
