"""A wheel is all that it takes: what the image does to install one, and the command in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_ROOT
from tests.end_to_end.focus_company import charge, write_bill
from tests.end_to_end.running import Company

DEPLOY = PROJECT_ROOT / "deploy"


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a clean virtual environment, made as the Dockerfile makes it."""
    target = tmp_path_factory.mktemp("installed") / "cpc"
    ours = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{ours}:{os.environ['PATH']}", "UV_OFFLINE": "1"}
    done = run(DEPLOY / "install.sh", target, env=environment)
    if done.returncode:  # what `make install` downloaded is no longer in the cache
        shutil.rmtree(target, ignore_errors=True)
        done = run(DEPLOY / "install.sh", target, env={**environment, "UV_OFFLINE": "0"})
    assert done.returncode == 0, done.stderr
    return target / "bin"


def test_a_wheel_in_a_clean_environment_runs_a_bill(installed: Path, tmp_path: Path) -> None:
    company = Company(tmp_path)
    write_bill(company, [charge("10.25")])
    # Without options or a checkout: what is in the folder one is in, and what the wheel brought.
    clean = {"PATH": f"{installed}:/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"}
    where = "from orchestration.settings import PROJECT_ROOT; print(PROJECT_ROOT)"
    project = Path(run(installed / "python", "-c", where, cwd=tmp_path, env=clean).stdout.strip())
    assert project.is_relative_to(installed.parent)
    for command in (("init", "workspace"), ("run",)):
        done = run(installed / "cpc", *command, cwd=tmp_path, env=clean)
        assert done.returncode == 0, done.stdout + done.stderr
    assert company.read("select sum(effective_cost) from customer_costs_daily") == [(Decimal("10.25"),)]


def test_the_image_is_built_where_there_is_an_engine() -> None:
    if shutil.which("docker") is None or run("docker", "info").returncode:
        pytest.skip("no container engine; its steps ran in a virtual environment")
    done = run("docker", "build", "--tag", "cost-per-customer:test", str(PROJECT_ROOT))
    assert done.returncode == 0, done.stderr
    assert "Usage: cpc" in run("docker", "run", "--rm", "cost-per-customer:test").stdout
