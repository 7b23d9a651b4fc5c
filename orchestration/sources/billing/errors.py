"""The one error that a person sees when a bill cannot be landed.

What belongs here: the error. What does not: deciding that something is wrong, which is for the reader of
the manifest, the file or the format.
"""

from __future__ import annotations

from orchestration.settings import ExpectedError


class BillingError(ExpectedError):
    """A bill cannot be landed; the message says what is wrong, where (location, key, row) and what to do.

    What had landed before stays as it was.
    """
