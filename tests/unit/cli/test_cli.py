"""The command's words and exit codes; what its commands do is shown elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.settings import PROJECT_ROOT

CONTEXTS = str(PROJECT_ROOT / "contexts")


def test_every_command_shows_an_example() -> None:
    for command in ("check", "compile", "run", "coverage", "explain", "report", "demo", "dev"):
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        assert f"cpc {command}" in shown.output


def test_contexts_in_order_are_fine(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", "--contexts", CONTEXTS, "--workspace", str(tmp_path)])
    assert done.exit_code == 0
    assert done.output.startswith(f"No problems in {CONTEXTS}; tests passed: ")


def test_a_test_that_fails_is_told_with_what_came_instead_and_exit_code_1(tmp_path: Path) -> None:
    contexts = tmp_path / "contexts"
    shutil.copytree(CONTEXTS, contexts)
    feature = contexts / "dimensions" / "feature.yml"
    feature.write_text(
        feature.read_text()
        + "  - given: {tag: {App: search-api}, service_name: AmazonEC2}\n    expect: Ingest\n"
    )
    line = len(feature.read_text().splitlines()) - 1
    done = CliRunner().invoke(app, ["check", "--contexts", str(contexts), "--workspace", str(tmp_path / "w")])
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "1 test failed in the contexts:",
        f"contexts/dimensions/feature.yml:{line}:5 test-failed: given {{tag: {{app: search-api}}, "
        'service_name: AmazonEC2} expected "Ingest", got "Search" '
        "(rule at contexts/dimensions/feature.yml:6)",
    ]


@pytest.mark.parametrize("command", ["check", "compile"])
def test_problems_are_listed_with_exit_code_1(command: str, tmp_path: Path) -> None:
    (tmp_path / "dimensions").mkdir()
    (tmp_path / "dimensions" / "team.yml").write_text("dimension: squad\n")
    done = CliRunner().invoke(app, [command, "--contexts", str(tmp_path), "--workspace", str(tmp_path / "w")])
    assert done.exit_code == 1
    assert f"{tmp_path.name}/dimensions/team.yml:1:" in done.output


def test_compiling_says_what_it_wrote(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compile", "--contexts", CONTEXTS, "--workspace", str(tmp_path)])
    written = [Path(line) for line in done.output.splitlines()]
    assert tmp_path / "dbt_project" / "models" / "context" / "charges_in_context.sql" in written
    assert all(path.is_file() for path in written)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--months", "2026-13"],
        ["run", "--months", "2026-07..2026-06"],
        ["run", "--nonsense"],
        ["nonsense"],
    ],
)
def test_wrong_use_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    assert CliRunner().invoke(app, [*arguments]).exit_code == 2


def test_a_wrong_setting_is_named_with_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "settings.yml"
    file.write_text(
        "snapshots_kept: 0\nbiling_exports: []\ns3: {region: eu}\nbilling_exports:\n"
        "  - name: aws\n    location: s3://bills\n    ignored: [x]\nalert_mail:\n  host: mail\n"
    )
    done = CliRunner().invoke(app, ["check", "--workspace", str(tmp_path)])
    assert done.exit_code == 2
    assert sorted(done.stderr.splitlines()) == [
        f"{file}:1: snapshots_kept: Input should be greater than or equal to 1",
        f'{file}:2: biling_exports: there is no such setting; did you mean "billing_exports"?',
        f'{file}:3: s3.region: there is no such setting; did you mean "region_name"?',
        f'{file}:7: billing_exports.0.ignored: there is no such setting; did you mean "ignore"?',
        f"{file}:8: alert_mail.receivers: Field required",
        f"{file}:8: alert_mail.sender: Field required",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3: {region_name: eu", "settings.yml is not valid YAML"),
        ("- s3", "settings.yml must consist of lines"),
    ],
)
def test_settings_that_are_no_mapping_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "settings.yml").write_text(text)
    done = CliRunner().invoke(app, ["check", "--workspace", str(tmp_path)])
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_wrong_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPC_S3__REGION", "eu")
    done = CliRunner().invoke(app, ["check", "--workspace", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr == 'CPC_S3__REGION: there is no such setting; did you mean "region_name"?\n'


def test_a_variable_that_nothing_reads_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPC_SNAPSHOT_KEPT", "3")
    monkeypatch.setenv("CPC_COSTS_PORT_8787_TCP", "tcp://10.0.0.1:8787")
    monkeypatch.setenv("CPC_API_TOKEN", "secret")
    done = CliRunner().invoke(app, ["doctor", "--workspace", str(tmp_path)])
    assert done.stderr.splitlines()[:2] == [
        "CPC_COSTS_PORT_8787_TCP is ignored: there is no such setting",
        'CPC_SNAPSHOT_KEPT is ignored: there is no such setting; did you mean "CPC_SNAPSHOTS_KEPT"?',
    ]
    assert "CPC_API_TOKEN" not in done.stderr


def test_checking_contexts_does_not_wait_for_dagster() -> None:
    check = "import sys; from orchestration.cli.app import app; app(['check'], standalone_mode=False); "
    loaded = "print(sorted({'dagster', 'dbt', 'boto3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check + loaded], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
