"""Reports of deployments: what is one, what is rejected, and how it looks in Dagster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.demo import company
from orchestration.settings import Settings
from orchestration.sources.deployments import DEPLOYMENTS
from orchestration.sources.deployments.landing import (
    DeploymentsLanding,
    deployments_file,
    land_deployments,
    rejected_file,
)
from orchestration.sources.locations import FolderLocation
from tests.unit.sources.in_dagster import landed_in_dagster

GOOD = '{"deployed_at": "2026-10-20T13:55:00Z", "service": "search", "version": "7"}'


class Deployments:
    """Reports on one side, the landed deployments on the other."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.landing = folder / "landing"

    def land(self) -> DeploymentsLanding:
        return land_deployments(FolderLocation(self.files), self.landing)

    def rows(self, file: Path | None = None) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            return connection.execute(
                f"FROM '{file or deployments_file(self.landing)}' ORDER BY ALL"
            ).fetchall()


@pytest.fixture
def deployments(tmp_path: Path) -> Deployments:
    return Deployments(tmp_path)


def test_reports_of_every_format_are_one_list(deployments: Deployments) -> None:
    (deployments.files / "a.jsonl").write_text(
        '{"deployed_at": "2026-10-20T15:55:00+02:00", "service": "search", "version": 7.2, '
        '"environment": "production", "link": "https://ci.example/7", "feature": "Search"}\n'
    )
    (deployments.files / "b.csv").write_text(
        'time,service,description\n2026-10-21 10:00:00,"a, b","two\nlines"\n'
    )
    pq.write_table(
        pa.table({"deployed_at": ["2026-10-22T00:00:00Z"], "service": ["c"]}), deployments.files / "c.parquet"
    )
    landing = deployments.land()
    assert (landing.deployments, landing.changed, landing.rejected) == (3, True, {})
    assert [tuple(str(value) for value in row) for row in deployments.rows()] == [
        ("2026-10-20 13:55:00", "search", "7.2", "production", "https://ci.example/7", "None"),
        ("2026-10-21 10:00:00", "a, b", "None", "None", "None", "two\nlines"),
        ("2026-10-22 00:00:00", "c", "None", "None", "None", "None"),
    ]
    assert not deployments.land().changed


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ("nope", "not-json", "the line is not valid JSON; write one object per line"),
        ('"text"', "not-an-object", "the line is JSON, but not an object of fields"),
        ('{"service": "x"}', "deployed-at-missing", "deployed_at is missing"),
        ('{"deployed_at": "soon", "service": "x"}', "deployed-at-format", "deployed_at 'soon' is not an ISO"),
        ('{"deployed_at": "2026-10-20"}', "service-missing", "service is missing"),
        (
            '{"deployed_at": "2026-10-20", "service": "x", "link": "javascript:alert(1)"}',
            "link-not-http",
            "link 'javascript:alert(1)' is not an address that begins with http:// or https://",
        ),
        (
            GOOD.replace("Z", "+00:00"),
            "reported-twice",
            "the deployment of search at 2026-10-20T13:55:00+00:00",
        ),
    ],
)
def test_a_bad_row_is_rejected_and_the_good_ones_count(
    deployments: Deployments, line: str, reason: str, detail: str
) -> None:
    path = deployments.files / "a.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n")
    landing = deployments.land()
    assert (landing.deployments, landing.rejected) == (1, {reason: 1})
    [(location, file_row, code, why, record, is_whole_file)] = deployments.rows(
        rejected_file(deployments.landing)
    )
    assert not is_whole_file
    assert (location, file_row, code, record) == (str(path), 3, reason, line)
    assert why.startswith(detail)
    # Put right, nothing of it is left.
    path.write_text(f"{GOOD}\n")
    assert deployments.land().rejected == {}


def test_the_sample_companys_deployments_are_read_and_shown(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path)
    folder = tmp_path / "sources" / "deployments"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(list(company.DEPLOYMENTS)), folder / "all.parquet")
    result = landed_in_dagster(DEPLOYMENTS, settings)
    shown = {
        event.materialization.asset_key.path[-1]: event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    assert shown["deployments"]["dagster/row_count"].value == len(company.DEPLOYMENTS)
    assert shown["deployments_rejected"]["rejected"].value == 0
    [check] = result.get_asset_check_evaluations()
    assert check.passed


@pytest.mark.parametrize("service", ["search\\u0000", "\\u001bsearch"])
def test_a_control_character_is_rejected_with_its_row(deployments: Deployments, service: str) -> None:
    odd = f'{{"deployed_at": "2026-10-20T13:55:00Z", "service": "{service}"}}'
    (deployments.files / "a.jsonl").write_text(f"{GOOD}\n{odd}\n")
    landing = deployments.land()
    assert (landing.deployments, landing.rejected) == (1, {"control-character": 1})
    ((_, row, reason, *_),) = deployments.rows(rejected_file(deployments.landing))
    assert (row, reason) == (2, "control-character")
