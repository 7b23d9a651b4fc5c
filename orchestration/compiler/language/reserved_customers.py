"""Reserved customer ids, used for cost without a single customer.

The only list, for all sources, the contexts and (as the macro `reserved_customers`) the models.
"""

from __future__ import annotations

RESERVED_CUSTOMERS = ("unallocated", "long tail")
