"""The demo, run once for every test that asks of its result, whichever process of pytest asks first."""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from orchestration.automation.run import run_job
from orchestration.demo.run import run_demo
from orchestration.settings import Settings, SparkSettings
from tests.real_bills import ABSENT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the tests on real bills did not run."""
    if ABSENT:
        terminalreporter.section("REAL BILLS WERE NOT TESTED", sep="!", red=True)
        terminalreporter.line(ABSENT)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache of what dbt parsed for all workspaces of the session, not that of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CPC_CACHE", str(_shared_by_processes(tmp_path_factory) / "cache"))
        yield


def _shared_by_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Processes of pytest-xdist have a folder each, in one folder of the session."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSettings]:
    """A cluster of Spark with a session, started when the first test needs it; see `needs_java`."""
    from tests.end_to_end.spark_cluster import cluster

    with cluster(tmp_path_factory.mktemp("cluster")) as settings:
        yield settings


MakeOnce = Callable[[str, Callable[[Path], str]], tuple[Path, str]]


@dataclass(frozen=True)
class FinishedDemo:
    """A workspace in which the demo has run, and then `cpc run` on the same files. Not to be changed.

    `printed` is what the demo printed, `first_snapshot` the name of what it published.
    """

    workspace: Path
    printed: str
    first_snapshot: str

    @property
    def settings(self) -> Settings:
        """The settings of the workspace; the contexts are the project's own."""
        return Settings(workspace=self.workspace)

    @property
    def published(self) -> Path:
        """The DuckDB file that readers open."""
        return self.settings.published_folder / "current.duckdb"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Makes a folder that all processes of the session read: whichever asks first makes it; others wait."""

    def make_once(name: str, make: Callable[[Path], str]) -> tuple[Path, str]:
        folder = _shared_by_processes(tmp_path_factory) / name
        said = folder.with_suffix(".txt")
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not said.is_file():
                said.write_text(make(folder))
        return folder, said.read_text()

    return make_once


@pytest.fixture(scope="session")
def finished_demo(made_once: MakeOnce) -> FinishedDemo:
    def make(workspace: Path) -> str:
        console = Console(file=io.StringIO(), width=200)
        good = run_demo(Settings(workspace=workspace), console)
        shown = console.file.getvalue()
        assert good, shown
        settings = Settings(workspace=workspace)
        first_snapshot = (settings.published_folder / "current").resolve().name
        assert run_job(settings, console=console), console.file.getvalue()
        return f"{first_snapshot}\n{shown}"

    workspace, said = made_once("finished_demo", make)
    first_snapshot, _, shown = said.partition("\n")
    return FinishedDemo(workspace, shown, first_snapshot)
