"""Broken answers and files of the systems that usage is pulled from, and what a pull says of each."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Callable
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from orchestration.settings import Settings
from orchestration.sources.locations import open_of
from orchestration.sources.telemetry.pulls.pull import pull_usage

DAY = date(2026, 7, 3)
NGINX = b'10.0.0.1 - ada [03/Jul/2026:10:15:00 +0000] "GET /v1?q=1 HTTP/1.1" 200 512 "-" "curl/8"\n'
ALB = (
    b"https 2026-07-03T10:15:00.0Z app/web/1 203.0.113.7:4711 10.0.0.1:80 0.0 0.1 0.0 200 200 34 366 "
    b'"GET https://ada.example.com:443/v1?q=1 HTTP/1.1" "curl/8" ECDHE TLSv1.2 arn:aws:group\n'
)
INVENTORY = b'"uploads","customers/ada/1.bin","100"\n"uploads","customers/bob/2.bin","50"\n'
MANIFEST = {
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, Size",
    "files": [{"key": "data/part.csv.gz", "size": 10}],
}
ANSWER: dict[str, Any] = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [{"metric": {"tenant": "ada"}, "values": [[1783069200, "12.5"], [1783072800, "3"]]}],
    },
}
# By the ending of a fuzzed file: where the pull looks for it, and the pull's settings.
PULLS = {
    ".nginx.log": ("access.log", "source: nginx_logs, customer: user, stream: requests"),
    ".nginx.log.gz": ("access.log.gz", "source: nginx_logs, customer: user, stream: requests"),
    ".alb.log.gz": (
        "2026/07/03/1_elasticloadbalancing_eu_20260703T1015Z.log.gz",
        "source: alb_logs, customer: host, stream: requests",
    ),
    ".manifest.json": (
        "2026-07-03T01-00Z/manifest.json",
        "source: s3_inventory, customer: key, stream: stored",
    ),
    ".inventory.csv.gz": ("data/part.csv.gz", "source: s3_inventory, customer: key, stream: stored"),
    ".prometheus.json": ("", "source: prometheus, customer: tenant, stream: requests, query: x"),
}


def file(chance: random.Random, damaged: Callable[[bytes], bytes]) -> tuple[str, bytes]:
    """An ending, and a content that is damaged before it is packed, after that, or not at all."""
    ending = chance.choice(list(PULLS))
    content = {
        "nginx": NGINX * chance.choice((1, 3)),
        "alb": ALB * chance.choice((1, 3)),
        "manifest": json.dumps(_changed(MANIFEST, chance)).encode(),
        "inventory": INVENTORY,
        "prometheus": json.dumps(_changed(ANSWER, chance)).encode(),
    }[ending.split(".")[1]]
    for _ in range(chance.choice((0, 1, 1, 2))):
        content = damaged(content)
    if ending.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
        if chance.random() < 0.3:
            content = damaged(content)
    return ending, content


def _changed(document: Any, chance: random.Random) -> Any:
    """The document, of which one value may be another, or absent."""
    if chance.random() < 0.15:
        return chance.choice((None, [], {}, "", "NaN", "-Infinity", 0, -1, 1e308, True, ["a"], {"a": None}))
    if isinstance(document, dict):
        at = chance.choice(list(document))
        kept = {name: value for name, value in document.items() if name != at or chance.random() < 0.9}
        return {name: _changed(value, chance) if name == at else value for name, value in kept.items()}
    if isinstance(document, list):
        at = chance.randrange(len(document))
        return [_changed(value, chance) if place == at else value for place, value in enumerate(document)]
    return document


def verdict(name: str, content: bytes, folder: Path) -> str:
    """What a pull of it says: `read`, `rejected` (a remark), `error`, or what is unclear about it."""
    ending = next(ending for ending in PULLS if name.endswith(ending))
    place, said = PULLS[ending]
    for inside, other in (
        ("2026-07-03T01-00Z/manifest.json", json.dumps(MANIFEST).encode()),
        ("data/part.csv.gz", gzip.compress(INVENTORY)),
        (place or "answer", content),
    ):
        path = folder / "system" / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(other)
    server = _Server(content) if not place else None
    origin = server.address if server else str(folder / "system")
    contexts = folder / "contexts"
    (contexts / "dimensions").mkdir(parents=True)
    (contexts / "dimensions" / "feature.yml").write_text("dimension: feature\ndefault: Search\n")
    (contexts / "allocation.yml").write_text("rules: [{name: all, by: requests}]\n")
    (contexts / "streams.yml").write_text(
        "streams: {requests: {granularity: hourly}, stored: {granularity: daily}}"
    )
    (contexts / "usage.yml").write_text(f'pulls: [{{name: fuzzed, from: "{origin}", {said}}}]\n')
    settings = Settings(workspace=folder, contexts=contexts)
    try:
        [result] = pull_usage(settings, open_of(settings), datetime(2026, 7, 4, 12), days=(DAY, DAY))
    finally:
        if server:
            server.stop()
    if result.error:
        named = (origin, Path(place).name, "manifest.json", "the query")
        return "error" if any(name in result.error for name in named if name) else result.error
    return "rejected" if result.remarks else "read"


class _Server:
    """Answers every request with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *said: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
