"""The API under thousands of strange requests, made by schemathesis from the API's own OpenAPI document."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from orchestration.settings import Settings
from tests.unit.sources.telemetry.test_api import Server

# What an answer must be: none of 5xx, every status and body as documented, bad requests refused.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "ignored_auth",
    "unsupported_method",
]
REQUESTS_PER_OPERATION = 60


def test_no_request_breaks_the_server_or_the_documented_answers(tmp_path: Path) -> None:
    settings = Settings(
        workspace=tmp_path,
        contexts=tmp_path / "contexts",
        api_requests_per_second=1e6,
        api_request_burst=10**6,
        api_body_bytes=1 << 16,
    )
    served = Server(tmp_path, settings)
    every_stream = served.tokens.create(["*"], "every stream", datetime.now(UTC))
    served.start()
    try:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{served.address}/openapi.json",
                f"--header=Authorization: Bearer {every_stream}",
                f"--checks={','.join(CHECKS)}",
                f"--max-examples={REQUESTS_PER_OPERATION}",
                "--phases=examples,coverage,fuzzing",
                "--seed=1",
                "--no-color",
                "--generation-database=none",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    finally:
        served.stop()
    assert done.returncode == 0, done.stdout + done.stderr
