"""An S3 server on the loopback interface with the sample company's files."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from orchestration.demo.company import REGION
from orchestration.demo.delivery import BUCKET, DeliveryRecord
from orchestration.settings import ExpectedError

_HOST = "127.0.0.1"


class ServerMissingError(ExpectedError):
    """The S3 server is not installed; the message says how to install it."""


@contextmanager
def s3_server() -> Iterator[str]:
    """An empty S3 server for the duration of the block: its URL, on a free local port."""
    try:
        # Only the demo needs the server, so deployments do not install it.
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        raise ServerMissingError(
            "The sample bill is served by an S3 server that is not installed here. "
            "Install it with: pip install 'cost-per-customer[demo]'"
        ) from error
    # The server's access log would drown the demo's output.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=_HOST, port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield f"http://{_HOST}:{port}"
    finally:
        server.stop()


@contextmanager
def server_credentials() -> Iterator[None]:
    """Make boto3 in this process use fake credentials, and no others, for the duration of the block.

    boto3 signs every request, so it needs some; the local server ignores them. They are set in the
    environment, which comes first in boto3's chain: roles or profiles of this machine are neither used nor
    sent anywhere, and nothing is written that outlives the demo.
    """
    made_up = {
        "AWS_ACCESS_KEY_ID": "sample",
        "AWS_SECRET_ACCESS_KEY": "sample",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    absent = (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    )
    before = {name: os.environ.get(name) for name in (*made_up, *absent)}
    os.environ.update(made_up)
    for name in absent:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def put_sample(
    endpoint_url: str, root: Path, progress: Callable[[int, int], None] = lambda _, __: None
) -> None:
    """Upload every file delivered to `root` to the sample's bucket, under the same names.

    `progress` receives the number of uploaded files and the total.
    """
    written = DeliveryRecord.read(root)
    if written is None or not written.complete:
        raise FileNotFoundError(f"{root} holds no complete delivery of the sample company")
    client: Any = boto3.client("s3", endpoint_url=endpoint_url, region_name=REGION)
    client.create_bucket(Bucket=BUCKET)
    for number, key in enumerate(written.files, start=1):
        client.put_object(Bucket=BUCKET, Key=key, Body=(root / key).read_bytes())
        progress(number, len(written.files))
