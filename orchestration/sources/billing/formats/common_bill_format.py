"""CloudZero's Common Bill Format (CBF): `lineitem/…`, `resource/…`, `cost/…`, from its documentation.

Its cost columns fall back to each other as documented there: a blank is not 0. It names no currency, so the
export's `billing_currency` has to. No public file of a company was found; adaptors of CloudZero write it.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat, Named

_TAG = "resource/tag:"


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    kind, account = f"lower(coalesce({read['type']}, 'usage'))", read["account"]
    discounted = f"coalesce({read['discounted']}, {read['amount']})"
    provider = f"coalesce({read['provider']}, {account}, {read['service']})"
    return {
        "effective_cost": f"coalesce({read['discounted_amortized']}, {read['amortized']}, {discounted})",
        "contracted_cost": discounted,
        "list_cost": f"coalesce({read['on_demand']}, {read['amount']})",
        "charge_category": f"""
            case
                when {kind} in ('usage', 'committedusevacancy') then 'Usage'
                when {kind} = 'tax' then 'Tax'
                when {kind} in ('discount', 'credit', 'refund') then 'Credit'
                when {kind} in ('support', 'purchase', 'fee') then 'Purchase'
                when {kind} in ('committedusepurchase', 'committeduserecurringfee') then 'Purchase'
                else 'Adjustment'
            end""",
        "charge_period_end": f"coalesce({read['end']}, {read['start']} + interval 1 hour)",
        "provider_name": provider,
        "billing_account_id": f"coalesce({account}, {provider})",
        "sub_account_id": account,
        "service_name": read["service"],
        "charge_description": read["description"],
        "region_id": read["region"],
        "resource_id": read["resource"],
        "x_usage_type": f"coalesce({read['usage_type']}, {read['family']})",
        "x_operation": read["operation"],
        "consumed_quantity": read["quantity"],
        "consumed_unit": read["unit"],
        "invoice_id": read["invoice"],
    }


def _tags(named: Named) -> Named:
    """Tags, and the columns of Kubernetes under their own names."""
    tags = {name.removeprefix(_TAG): part for name, part in named.items() if name.startswith(_TAG)}
    return tags | {
        name: part for name, part in named.items() if name.startswith("k8s/") and name != "k8s/labels"
    }


COMMON_BILL_FORMAT = MappedFormat(
    required=("time/usage_start", "cost/cost"),
    read={
        "start": ("timestamp", ("time/usage_start",)),
        "end": ("timestamp", ("time/usage_end",)),
        "amount": ("number", ("cost/cost",)),
        "discounted": ("number", ("cost/discounted_cost",)),
        "amortized": ("number", ("cost/amortized_cost",)),
        "discounted_amortized": ("number", ("cost/discounted_amortized_cost",)),
        "on_demand": ("number", ("cost/on_demand_cost",)),
        "quantity": ("number", ("usage/amount",)),
        "currency": ("text", ()),
        "type": ("text", ("lineitem/type",)),
        "description": ("text", ("lineitem/description",)),
        "provider": ("text", ("lineitem/cloud_provider",)),
        "account": ("text", ("resource/account", "action/account")),
        "service": ("text", ("resource/service",)),
        "family": ("text", ("resource/usage_family",)),
        "region": ("text", ("resource/region", "action/region")),
        "resource": ("text", ("resource/id",)),
        "usage_type": ("text", ("action/usage_type",)),
        "operation": ("text", ("action/operation",)),
        "unit": ("text", ("usage/units",)),
        "invoice": ("text", ("bill/invoice_id",)),
    },
    charge=_charge,
    tags_of=_tags,
)
