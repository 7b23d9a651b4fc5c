"""`cpc send` sends a file's records to a real server: once however often, and rejected ones by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

from orchestration.cli.app import app
from orchestration.settings import Settings
from orchestration.sources.locations import FolderLocation
from tests.unit.sources.telemetry.test_api import Server

ROWS = """\
stream,timestamp,customer_id,value,operation,filter
searches,2026-07-01T10:00:00Z,c1,1.5,,
views,2026-07-01T10:00:00Z,c1,7,,
searches,2026-07-01T11:00:00Z,c2,2,sum,"{""feature"": [""Search""]}"
searches,2026-07-01T11:00:00Z,c3,-2,,
searches,2026-07-01T10:00:00Z,c1,4,replace,
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    served = Server(tmp_path, Settings(workspace=tmp_path, contexts=tmp_path / "contexts"))
    served.secret = served.tokens.create(["*"], "all", datetime.now(UTC))
    served.start()
    yield served
    served.stop()


def sent(server: Server, *files: Path) -> Result:
    given = [*map(str, files), "--url", server.address, "--token", server.secret]
    return CliRunner().invoke(app, ["send", *given])


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_file_sent_twice_counts_once(server: Server, telemetry: Any, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"usage.{ending}"
    (tmp_path / "rows.csv").write_text(ROWS)
    copied: dict[str, Callable[[], object]] = {
        "csv": lambda: file.write_text(ROWS),
        "parquet": lambda: duckdb.sql(f"copy (from read_csv('{tmp_path}/rows.csv')) to '{file}'"),
        "jsonl": lambda: duckdb.sql(f"copy (from read_csv('{tmp_path}/rows.csv')) to '{file}' (format json)"),
    }
    copied[ending]()
    done = sent(server, file)
    assert done.exit_code == 1
    first, second = done.output.splitlines()
    assert first == f"{file}: 4 records stored, 1 rejected"
    assert second.strip().startswith("row 4: value-not-positive: ")
    assert sent(server, file).output == done.output
    telemetry.land(FolderLocation(telemetry.source))
    assert sorted(telemetry.records("stream, customer_id, value::varchar, operation, filter"), key=str) == [
        ("searches", "c1", "1.500000000", "sum", None),
        ("searches", "c1", "4.000000000", "replace", None),
        ("searches", "c2", "2.000000000", "sum", '{"feature":["Search"]}'),
        ("views", "c1", "7.000000000", "sum", None),
    ]


def test_what_the_server_refuses_and_what_cannot_be_read_ends_with_the_reason(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(ROWS)
    server.secret = "unknown"
    refused = sent(server, file)
    assert refused.exit_code == 1
    assert "answered 401: send a known token" in refused.stderr
    (tmp_path / "usage.xls").write_text("")
    unread = sent(server, tmp_path / "usage.xls")
    assert unread.exit_code == 1
    assert "the name does not say a known format" in unread.stderr
