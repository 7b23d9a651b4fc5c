"""The ids that no customer can have: costs that no one customer carries go by them.

The one list of them, for every source, the contexts and (as the macro `reserved_customers`) the models.
"""

from __future__ import annotations

RESERVED_CUSTOMERS = ("unallocated", "long tail")
