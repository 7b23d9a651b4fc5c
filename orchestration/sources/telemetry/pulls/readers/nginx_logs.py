"""Access logs of nginx (and Apache) in the format `combined`, in a folder or S3: requests or bytes.

A line may begin with the host (`$host $remote_addr - …`), and what follows the user agent is the field
`rest`, so that a log_format which ends in `tenant=$http_x_tenant` needs `customer: rest` and a pattern. Files
are all below `from`, `.gz` too, that were written to since the window began.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from orchestration.compiler.language.pulls import Pull
from orchestration.sources.telemetry.pulls.readers.log_lines import LogFormat, count
from orchestration.sources.telemetry.pulls.readers.reader import Access, Quantity, Window

FORM = LogFormat(
    name="combined",
    pattern=r'^(?:(\S+) )?([^\s-]\S*) \S+ (.*?) \[([^\]]+)\] "(?:[A-Z]+ )?([^" ]*)[^"]*" \d{3} (\d+|-)'
    r'(?: "[^"]*" "([^"]*)"(.*))?$',
    names=("host", "client", "user", "at", "url", "sent", "user_agent", "rest"),
    # The format with an offset gives a time with its zone.
    time="try_strptime(said.at, '%d/%b/%Y:%H:%M:%S %z') AT TIME ZONE 'UTC'",
    fields={
        "host": "split_part(said.host, ':', 1)",
        "path": "split_part(said.url, '?', 1)",
        "client": "said.client",
        "user_agent": "said.user_agent",
        "user": 'said."user"',
        "rest": "trim(said.rest)",
    },
    values={"requests": "1", "sent_bytes": "coalesce(try_cast(said.sent AS BIGINT), 0)"},
)


def read(pull: Pull, window: Window, access: Access) -> Iterator[Quantity]:
    """One quantity per step and value of the customer's field."""
    location = access.open_location(pull.origin)
    start = window.start.replace(tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        files = [
            location.fetch(stored.key, Path(folder)) for stored in location.list() if stored.modified >= start
        ]
        yield from count(FORM, files, pull, window, access)
