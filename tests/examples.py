"""How many examples a property is tried on: a few in `make test`, hundreds in `make test-long`."""

from __future__ import annotations

import os

# What the long form multiplies the usual number by.
LONG = int(os.environ.get("CPC_TIMES_AS_MANY_EXAMPLES", "1"))


def examples(usual: int) -> int:
    """The number of examples of a property that has `usual` of them in `make test`."""
    return usual * LONG
