"""OpenAI's cost export of the dashboard: `amount_value` a day, by line item, project and API key.

The columns are those that OpenAI documents for the costs endpoint of its administration API; no public real
file was found to read. Export it grouped by what contexts need: project, line item (model and kind of token),
API key. A day without cost is a row without an amount.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat, Named

_TAGS = {"project_id", "project_name", "user_id", "user_email", "api_key_id"}


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    item = read["item"]
    return {
        "billed_cost": f"coalesce({read['amount']}, 0)",
        # An amount without a currency stays without one, and is rejected.
        "billing_currency": f"case when {read['amount']} is null then 'USD' else {read['currency']} end",
        "charge_period_end": read["end"],
        "provider_name": "'OpenAI'",
        "publisher_name": "'OpenAI'",
        "billing_account_id": f"coalesce({read['organization']}, 'OpenAI')",
        "billing_account_name": read["organization_name"],
        "sub_account_id": read["project"],
        "sub_account_name": read["project_name"],
        "service_name": "'OpenAI API'",
        "service_category": "'AI and Machine Learning'",
        "resource_id": read["key"],
        "sku_id": item,
        "sku_meter": f"trim(split_part({item}, ',', 2))",
        "x_usage_type": f"trim(split_part({item}, ',', 1))",
        "charge_description": item,
        "consumed_quantity": read["quantity"],
        "consumed_unit": read["unit"],
    }


def _tags(named: Named) -> Named:
    return {name: part for name, part in named.items() if name in _TAGS}


OPENAI_COSTS = MappedFormat(
    required=("start_time_iso", "amount_value", "amount_currency"),
    read={
        "start": ("timestamp", ("start_time_iso",)),
        "end": ("timestamp", ("end_time_iso",)),
        "amount": ("number", ("amount_value",)),
        "quantity": ("number", ("quantity",)),
        "currency": ("text", ("amount_currency",)),
        "item": ("text", ("line_item",)),
        "organization": ("text", ("organization_id",)),
        "organization_name": ("text", ("organization_name",)),
        "project": ("text", ("project_id",)),
        "project_name": ("text", ("project_name",)),
        "key": ("text", ("api_key_id",)),
        "unit": ("text", ("quantity_unit",)),
    },
    charge=_charge,
    tags_of=_tags,
)
