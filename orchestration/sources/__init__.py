"""Read outside data into landed Parquet: the format changes, the meaning does not.

Each folder exports one `Source`, which is all the rest of the project uses; `SOURCES` lists them in display
order.
"""

from __future__ import annotations

from orchestration.sources.accounts import ACCOUNTS
from orchestration.sources.billing import BILLING
from orchestration.sources.customers import CUSTOMERS
from orchestration.sources.deployments import DEPLOYMENTS
from orchestration.sources.exchange_rates import EXCHANGE_RATES
from orchestration.sources.inventory import INVENTORY
from orchestration.sources.kubernetes import OPENCOST
from orchestration.sources.revenue import REVENUE
from orchestration.sources.source import Source
from orchestration.sources.telemetry import TELEMETRY

SOURCES: tuple[Source, ...] = (
    BILLING,
    TELEMETRY,
    CUSTOMERS,
    REVENUE,
    EXCHANGE_RATES,
    INVENTORY,
    ACCOUNTS,
    DEPLOYMENTS,
    OPENCOST,
)
