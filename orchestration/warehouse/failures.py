"""Errors that the user can fix, as Dagster shows them best: the message, without a stack of calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from orchestration.settings import ExpectedError


@contextmanager
def expected_errors() -> Iterator[None]:
    """Turn an `ExpectedError` into a failed step with its message, which another try would not change."""
    try:
        yield
    except ExpectedError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
