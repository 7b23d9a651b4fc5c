"""The error shown when a bill cannot be landed."""

from __future__ import annotations

from orchestration.settings import ExpectedError


class BillingError(ExpectedError):
    """A bill cannot be landed; says what is wrong, where (location, key, row) and what to do.

    What had landed before stays as it was.
    """


class OtherDatasetError(BillingError):
    """A file is a dataset beside the bill, which is left where it is."""
