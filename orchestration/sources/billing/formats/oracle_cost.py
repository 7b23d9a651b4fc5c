"""Oracle Cloud's cost report: `lineItem/…`, `product/…`, `cost/…`, `tags/<namespace>.<key>`.

Columns: "Cost and Usage Reports" in Oracle's documentation. Billed and effective cost are `cost/myCost`;
what is paid in advance for universal credits is not in the report. No public file of a company was found;
the test has the documented columns. Oracle's FOCUS reports are read as FOCUS.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat

_TAG = "tags/"


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    return {
        "charge_period_end": read["end"],
        "charge_class": f"case when lower({read['correction']}) = 'true' then 'Correction' end",
        "provider_name": "'Oracle'",
        "publisher_name": "'Oracle'",
        "billing_account_id": f"coalesce({read['account']}, {read['tenant']})",
        "sub_account_id": read["compartment"],
        "sub_account_name": read["compartment_name"],
        "service_name": read["service"],
        "charge_description": read["description"],
        "sku_id": read["sku"],
        "region_id": read["region"],
        "availability_zone": read["zone"],
        "resource_id": read["resource"],
        "consumed_quantity": read["quantity"],
        "consumed_unit": read["unit"],
    }


ORACLE_COST = MappedFormat(
    required=("lineitem/intervalusagestart", "cost/mycost"),
    read={
        "start": ("timestamp", ("lineitem/intervalusagestart",)),
        "end": ("timestamp", ("lineitem/intervalusageend",)),
        "amount": ("number", ("cost/mycost",)),
        "quantity": ("number", ("usage/billedquantity",)),
        "currency": ("text", ("cost/currencycode",)),
        "correction": ("text", ("lineitem/iscorrection",)),
        "account": ("text", ("cost/subscriptionid",)),
        "tenant": ("text", ("lineitem/tenantid",)),
        "compartment": ("text", ("product/compartmentid",)),
        "compartment_name": ("text", ("product/compartmentname",)),
        "service": ("text", ("product/service",)),
        "description": ("text", ("product/description",)),
        "sku": ("text", ("cost/productsku",)),
        "region": ("text", ("product/region",)),
        "zone": ("text", ("product/availabilitydomain",)),
        "resource": ("text", ("product/resourceid",)),
        "unit": ("text", ("cost/skuunitdescription", "cost/billingunitreadable")),
    },
    charge=_charge,
    tags_of=lambda named: {
        name.removeprefix(_TAG): part for name, part in named.items() if name.startswith(_TAG)
    },
)
