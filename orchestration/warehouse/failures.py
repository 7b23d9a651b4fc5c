"""Errors that the user can fix, as Dagster shows them best: the message, without a stack of calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from orchestration.settings import ExpectedError


@contextmanager
def expected_errors() -> Iterator[None]:
    """Turn an `ExpectedError` into a failed step with its message, tried again only if that may help."""
    try:
        yield
    except ExpectedError as error:
        raise dg.Failure(str(error), allow_retries=_may_pass(error)) from error


def _may_pass(error: BaseException | None) -> bool:
    if error is None:
        return False
    return (isinstance(error, ExpectedError) and error.may_pass) or _may_pass(error.__cause__)
