"""Runs of the command in Dagster's pages, which show what belongs to a code location."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import yaml

from orchestration.automation.run_history import record_unchanged_run
from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home, prepare_workspace
from orchestration.settings import PROJECT_ROOT, Settings


def test_a_run_of_the_command_belongs_to_the_location_of_the_workspace_file(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path)
    prepare_workspace(settings)
    record_unchanged_run(dagster_home(settings), COMMAND_CONFIG, "before", "snapshot", kept=200)
    (location,) = yaml.safe_load((PROJECT_ROOT / "workspace.yaml").read_text())["load_from"]
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert run.tags["cpc/started_by"] == "cpc run"
    assert run.remote_job_origin is not None
    origin = run.remote_job_origin.repository_origin
    assert origin.get_label() == run.tags[".dagster/repository"]
    assert origin.code_location_origin.location_name == location["python_module"]["location_name"]


def test_only_the_latest_runs_stay(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path)
    prepare_workspace(settings)
    home = dagster_home(settings)
    for number in range(5):
        record_unchanged_run(home, COMMAND_CONFIG, f"run {number}", "snapshot", kept=2)
    with dg.DagsterInstance.from_config(str(home), COMMAND_CONFIG) as instance:
        runs = instance.get_runs()
        assert [run.tags["nothing_changed_since_run"] for run in runs] == ["run 4", "run 3"]
        assert all(instance.all_logs(run.run_id) for run in runs)
    files = {path.name.partition(".")[0] for path in (home / "history" / "runs").iterdir()}
    assert files == {"index", *(run.run_id for run in runs)}
