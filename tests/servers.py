"""Real servers for the tests, each in a folder of its own and stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def required(found: Path | str | None, package: str) -> Path:
    """The program; without it the test is skipped, or fails in CI."""
    if found is None:
        text = f"no {package} is installed: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return Path(found)


@contextmanager
def postgres() -> Iterator[str]:
    """A Postgres server, reached through a socket; its URL."""
    # Debian keeps the server's programs by version, outside the path.
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    binaries = required(installed[-1] if installed else shutil.which("initdb"), "postgresql").parent
    # Not in pytest's folder, which only its own user may enter.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    # Postgres refuses to run as root; Debian's package brings a user for it.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    data, log = folder / "data", folder / "log"

    def ask(*command: str | Path) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, capture_output=True, cwd=folder)

    ask(binaries / "initdb", "-D", data, "-U", "costs", "--auth", "trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    ask(binaries / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
    try:
        yield f"postgresql://costs@/postgres?host={folder}"
    finally:
        ask(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@contextmanager
def prometheus(folder: Path, openmetrics: str) -> Iterator[str]:
    """A Prometheus server that holds these samples; its address."""
    program = required(shutil.which("prometheus"), "prometheus")
    samples, data, config = folder / "samples.txt", folder / "data", folder / "prometheus.yml"
    samples.write_text(openmetrics)
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(samples), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    config.write_text("scrape_configs: []\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = [f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address={address}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [program, *options, "--storage.tsdb.retention.time=10y"], stdout=log, stderr=log
        )
    try:
        _wait(f"http://{address}/-/ready", server, folder / "log")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer: {log.read_text()}")
