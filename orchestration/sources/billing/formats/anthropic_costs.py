"""Anthropic's cost export of the Console: `cost_usd` a day, by model, workspace, API key and kind of token.

The columns are those that are documented for the export, which a bill in US dollars stands behind; no public
real file was found to read. Workspace, API key and model are tags, so that a context can name the team or
customer that a key is for.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat

_TAGS = ("workspace", "api_key", "model", "usage_type", "token_type")


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    return {
        "billing_currency": "'USD'",
        "provider_name": "'Anthropic'",
        "publisher_name": "'Anthropic'",
        "billing_account_id": "'Anthropic'",
        "sub_account_id": read["workspace"],
        "sub_account_name": read["workspace"],
        "service_name": "'Claude API'",
        "service_category": "'AI and Machine Learning'",
        "resource_id": read["key"],
        "sku_id": read["model"],
        "sku_meter": read["token"],
        "x_usage_type": read["model"],
        "charge_description": f"concat_ws(', ', {read['model']}, {read['token']}, {read['kind']})",
    }


ANTHROPIC_COSTS = MappedFormat(
    required=("usage_date_utc", "model", "cost_usd"),
    read={
        "start": ("timestamp", ("usage_date_utc",)),
        "amount": ("number", ("cost_usd",)),
        "currency": ("text", ()),
        "workspace": ("text", ("workspace",)),
        "key": ("text", ("api_key",)),
        "model": ("text", ("model",)),
        "token": ("text", ("token_type",)),
        "kind": ("text", ("cost_type",)),
    },
    charge=_charge,
    tags_of=lambda named: {name: named[name] for name in _TAGS if name in named},
)
