"""The one error that a person sees when a bill cannot be landed."""

from __future__ import annotations

from orchestration.settings import ExpectedError


class BillingError(ExpectedError):
    """A bill cannot be landed; the message says what is wrong, where (location, key, row) and what to do.

    What had landed before stays as it was.
    """
