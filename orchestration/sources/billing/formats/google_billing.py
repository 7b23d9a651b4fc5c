"""Google Cloud's standard and detailed billing export, as Parquet, or CSV with dotted names.

Columns: "Structure of Detailed data export" in Google's documentation. What a row costs is `cost` and the
sum of its credits (committed use, promotions, …); before them it is the contracted cost. A label of the
resource wins over one of its project. Tested with files of koku-nise and with Parquet of the documented
structure.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    kind = f"lower(coalesce({read['type']}, 'regular'))"
    amounts = f'from_json({read["credits"]}, \'[{{"amount":"VARCHAR"}}]\')'
    parsed = f"list_transform({amounts}, lambda c: cast(c.amount as decimal(38,12)))"
    net = f"cast({read['amount']} + coalesce(list_sum({parsed}), 0) as decimal(38,12))"
    # Months are those of the invoice, written 202607; usage of its last hours may be on the next one.
    month = f"try_strptime({read['month']}, '%Y%m')"
    return {
        "billed_cost": net,
        "effective_cost": net,
        "contracted_cost": read["amount"],
        "list_cost": f"coalesce({read['list']}, {read['amount']})",
        "charge_period_end": read["end"],
        "billing_period_start": f"coalesce({month}, date_trunc('month', {read['start']}))",
        "charge_category": (
            f"case {kind} when 'regular' then 'Usage' when 'tax' then 'Tax' else 'Adjustment' end"
        ),
        "provider_name": "'Google Cloud'",
        "publisher_name": "'Google Cloud'",
        "billing_account_id": read["account"],
        "sub_account_id": read["project"],
        "sub_account_name": read["project_name"],
        "service_name": read["service"],
        "charge_description": read["sku_name"],
        "sku_id": read["sku"],
        "x_usage_type": read["sku_name"],
        "region_id": f"coalesce({read['region']}, {read['location']})",
        "availability_zone": read["zone"],
        "resource_id": f"coalesce({read['global_name']}, {read['resource']})",
        "resource_name": read["resource"],
        "consumed_quantity": read["quantity"],
        "consumed_unit": read["unit"],
    }


GOOGLE_BILLING = MappedFormat(
    required=("usage_start_time", "cost", "currency", "service.description"),
    read={
        "start": ("timestamp", ("usage_start_time",)),
        "end": ("timestamp", ("usage_end_time",)),
        "amount": ("number", ("cost",)),
        "list": ("number", ("cost_at_list",)),
        "quantity": ("number", ("usage.amount",)),
        "credits": ("text", ("credits",)),
        "currency": ("text", ("currency",)),
        "type": ("text", ("cost_type",)),
        "month": ("text", ("invoice.month",)),
        "account": ("text", ("billing_account_id",)),
        "project": ("text", ("project.id",)),
        "project_name": ("text", ("project.name",)),
        "service": ("text", ("service.description",)),
        "sku": ("text", ("sku.id",)),
        "sku_name": ("text", ("sku.description",)),
        "region": ("text", ("location.region",)),
        "location": ("text", ("location.location",)),
        "zone": ("text", ("location.zone",)),
        "resource": ("text", ("resource.name",)),
        "global_name": ("text", ("resource.global_name",)),
        "unit": ("text", ("usage.unit",)),
        "project_labels": ("map", ("project.labels",)),
        "labels": ("map", ("labels",)),
    },
    charge=_charge,
    maps=("project_labels", "labels"),
)
