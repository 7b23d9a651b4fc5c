"""`cpc api` as a process, that can be killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

CPC = [sys.executable, "-c", "from orchestration.cli import main; main()", "api"]


class ServedApi:
    """The server of a workspace, with a token for one stream; `settings` are environment variables."""

    def __init__(self, workspace: Path, stream: str, **settings: str) -> None:
        self.workspace = workspace
        self.stream = stream
        self.environment = {**os.environ, **settings}
        token = [*CPC, "token", "--stream", stream, "--workspace", str(workspace)]
        self.token = subprocess.run(token, capture_output=True, text=True, check=True).stdout.strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        serve = [*CPC, "--workspace", str(self.workspace), "--port", str(self.port)]
        self.process = subprocess.Popen(
            serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment
        )
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz").close()
                return
            except urllib.error.URLError:
                assert self.process.poll() is None
                time.sleep(0.05)

    def stop(self, how: signal.Signals) -> int:
        """Send it a signal; how it ended."""
        os.kill(self.process.pid, how)
        return self.process.wait()

    def connect(self) -> HTTPConnection:
        """A connection that outlives a request."""
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def send(self, connection: HTTPConnection, key: str, body: bytes) -> int:
        """One try of one request that adds usage up: the status of the answer, which is read to its end."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        connection.request("POST", f"/v1/streams/{self.stream}/sum", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
