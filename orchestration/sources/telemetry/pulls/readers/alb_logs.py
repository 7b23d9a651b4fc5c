"""Access logs of AWS Application Load Balancers, in S3 or a folder: requests or bytes per customer.

`from` is the folder of a region, `…/AWSLogs/<account>/elasticloadbalancing/<region>/`, with folders by day. A
file is written every five minutes and named by the end of its interval, so the day after may hold the last
ones. Field order: AWS' "Access logs for your Application Load Balancer".
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from orchestration.compiler.language.pulls import Pull
from orchestration.sources.telemetry.pulls.readers.log_lines import LogFormat, count
from orchestration.sources.telemetry.pulls.readers.reader import Access, Quantity, Window

FORM = LogFormat(
    name="an ALB access log entry",
    # type time elb client target, 3 times, 2 statuses, received sent "method url …" "agent", 2 of TLS, group
    pattern=r'^\S+ (\S+) \S+ (\S+):\d+(?: \S+){6} (\d+|-) (\d+|-) "\S* (\S*)[^"]*" "([^"]*)" \S+ \S+ (\S+)',
    names=("at", "client", "received", "sent", "url", "user_agent", "target_group"),
    time="try_cast(said.at AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
    fields={
        "host": r"regexp_extract(said.url, '^\w+://([^/:]*)', 1)",
        "path": r"regexp_extract(said.url, '^\w+://[^/]*([^?]*)', 1)",
        "client": "said.client",
        "user_agent": "said.user_agent",
        "target_group": "said.target_group",
    },
    values={
        "requests": "1",
        "received_bytes": "try_cast(said.received AS BIGINT)",
        "sent_bytes": "try_cast(said.sent AS BIGINT)",
    },
)


def read(pull: Pull, window: Window, access: Access) -> Iterator[Quantity]:
    """One quantity per step and value of the customer's field."""
    location = access.open_location(pull.origin)
    after = window.start + timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder:
        files = [
            location.fetch(stored.key, Path(folder))
            for day, part in ((window.start, "_elasticloadbalancing_"), (after, f"_{after:%Y%m%d}T00"))
            for stored in location.list(f"{day:%Y/%m/%d}/")
            if part in stored.key
        ]
        yield from count(FORM, files, pull, window, access)
