"""Running the job as its users do, and looking at what readers see."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import duckdb
from rich.console import Console

from orchestration.automation.run import run_job
from orchestration.settings import Settings

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Company:
    """A folder with a company's `contexts` and its `workspace`."""

    root: Path

    @property
    def settings(self) -> Settings:
        """The settings that `cpc run --workspace … --contexts …` would have."""
        return Settings(workspace=self.root / "workspace", contexts=self.root / "contexts")

    def copy(self, root: Path) -> Company:
        """The same company somewhere else, with everything that it has built."""
        shutil.copytree(self.root, root, symlinks=True)
        return Company(root)

    def run(self, *, check_all: bool = False, repair: bool = False) -> tuple[bool, str]:
        """Run the job in this process; whether it went well, and what it printed."""
        printed = io.StringIO()
        console = Console(file=printed, width=200)
        good = run_job(self.settings, console=console, check_all=check_all, repair=repair)
        return bool(good), printed.getvalue()

    def start(
        self, printed: int | IO[bytes] = subprocess.DEVNULL, **environment: str
    ) -> subprocess.Popen[bytes]:
        """Run the job as a process of its own, which can be killed; `printed` is where it prints to."""
        settings = self.settings
        command = [str(Path(sys.executable).with_name("cpc")), "run"]
        options = ["--workspace", str(settings.workspace), "--contexts", str(settings.contexts)]
        return subprocess.Popen(
            [*command, *options],
            stdout=printed,
            env={**os.environ, "COLUMNS": "200", **environment},
            start_new_session=True,
        )

    def read(self, query: str) -> Rows:
        """Ask the published file."""
        path = self.settings.published_folder / "current.duckdb"
        with closing(duckdb.connect(str(path), read_only=True)) as reader:
            return reader.execute(query).fetchall()

    def marts(self) -> dict[str, Rows]:
        """Everything that readers see: every row of every mart, sorted."""
        tables = [
            name
            for (name,) in self.read(
                "select table_name from information_schema.tables where table_schema = 'main' order by 1"
            )
        ]
        return {name: self.read(f'select * from "{name}" order by all') for name in tables}

    def snapshot(self) -> Path:
        """The folder that readers are sent to."""
        return (self.settings.published_folder / "current").resolve()


def kill_when(process: subprocess.Popen[bytes], reached: Callable[[], bool], with_children: bool) -> bool:
    """SIGKILL the run as soon as `reached`; false when it ended before that could be seen.

    With its children, as when a machine goes down; or alone, as when it runs out of memory: dbt lives on.
    """
    while process.poll() is None:
        if reached():
            if with_children:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
            return True
        time.sleep(0.005)
    return False
