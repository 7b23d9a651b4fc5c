"""A plain file: the columns date, service, amount and currency, and any others, which become tags.

For bills that come in no known format: a SaaS subscription or a data centre, copied from invoices. A row is
what a service cost on a day: usage, or a credit where the amount is negative. All its costs are the amount.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat

REQUIRED = ("date", "service", "amount", "currency")
_OWN = (*REQUIRED, "provider", "account")


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    """`provider` and `account` name these; without them, both are the service."""
    return {
        "provider_name": f"coalesce({read['provider']}, {read['service']})",
        "billing_account_id": f"coalesce({read['account']}, {read['provider']}, {read['service']})",
        "service_name": read["service"],
        "charge_category": f"case when {read['amount']} < 0 then 'Credit' else 'Usage' end",
    }


PLAIN = MappedFormat(
    required=REQUIRED,
    read={
        "start": ("timestamp", ("date",)),
        "amount": ("number", ("amount",)),
        **{name: ("text", (name,)) for name in ("service", "currency", "provider", "account")},
    },
    charge=_charge,
    tags_of=lambda named: {name: columns for name, columns in named.items() if name not in _OWN},
    is_usage="true",  # credits, too, are of the day that they name
)
