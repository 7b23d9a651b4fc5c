"""Adding a source is one folder and one line: everything that knows sources then knows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.settings import PROJECT_ROOT

FOLDER = {
    "__init__.py": """
from orchestration.sources.source import Source, Table

INCIDENTS = Source(
    name="incidents",
    label="incidents",
    module="orchestration.sources.incidents.landing",
    tables=(Table("incidents", "One row per incident."),),
)
""",
    "landing.py": """
from orchestration.sources.landing.parquet import ensure_landed
from orchestration.sources.source import Landed


def ensure_landing(landing):
    ensure_landed(landing / "incidents" / "incidents.parquet", {"incident_id": "VARCHAR"})


def land(request):
    found = list(request.open_location(request.settings.location_of("incidents")).list())
    yield Landed("incidents", {"files": [stored.key for stored in found]})
""",
}
LINES = {
    "import DEPLOYMENTS\n": "from orchestration.sources.incidents import INCIDENTS\n",
    "    OPENCOST,\n": "    INCIDENTS,\n",
}
ASKED = """
import sys
from pathlib import Path

from orchestration.automation.sensors import digests_of_arrivals
from orchestration.automation.unchanged import digest_of_sources
from orchestration.automation.workspace import prepare_workspace
from orchestration.settings import Settings
from orchestration.sources.locations import open_of

settings = Settings(workspace=Path(sys.argv[1]))
prepare_workspace(settings)
assert (settings.landing_folder / "incidents" / "incidents.parquet").is_file()
before = digest_of_sources(settings)
(settings.sources / "incidents" / "a.csv").write_text("incident_id")
assert digest_of_sources(settings) != before
assert list(digests_of_arrivals(settings, open_of(settings))) == ["incidents"]

from orchestration.automation.terminal import _label
from orchestration.sources import SOURCES
from tests.unit.sources.in_dagster import landed_in_dagster

assert _label("incidents_landing") == "land incidents"
result = landed_in_dagster(SOURCES[-1], settings)
[event] = result.get_asset_materialization_events()
assert event.asset_key.path == ["landing", "incidents"]
assert event.materialization.metadata["files"].value == "- a.csv"
"""


def test_a_source_is_one_folder_and_one_line(tmp_path: Path) -> None:
    for name in ("orchestration", "dbt_project", "contexts"):
        shutil.copytree(PROJECT_ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    sources = tmp_path / "orchestration" / "sources"
    (sources / "incidents").mkdir()
    for name, text in FOLDER.items():
        (sources / "incidents" / name).write_text(text)
    listed = (sources / "__init__.py").read_text()
    for before, added in LINES.items():
        assert before in listed
        listed = listed.replace(before, f"{before}{added}")
    (sources / "__init__.py").write_text(listed)
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(tmp_path / "workspace")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
