"""Azure's cost details (exports of actual or amortised cost) of EA, MCA and pay-as-you-go accounts.

Columns: "Understand cost details fields" in Microsoft's documentation; the headers of the agreements differ
in capitals and some names. A file holds one view of the cost, so billed and effective cost are both
`CostInBillingCurrency`: export *amortized* cost to spread reservations and savings plans over what they
cover, and never both of a scope. Tested with files of koku-nise and with the documented headers.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.sources.billing.formats.mapped import MappedFormat, bare


def _charge(read: Mapping[str, str]) -> dict[str, str]:
    kind = f"lower(coalesce({read['type']}, 'usage'))"
    benefit = f"coalesce({read['benefit']}, {read['reservation']})"
    covered = f"({kind} = 'usage' and lower({read['pricing']}) in ('reservation', 'savingsplan'))"
    unused = f"starts_with({kind}, 'unused')"
    start = _day(read["start"])
    return {
        "charge_period_start": start,
        "charge_period_end": f"{start} + interval 1 day",
        "billing_period_start": f"coalesce({_day(read['period'])}, date_trunc('month', {start}))",
        # Of the same quantity at the pay-as-you-go price, where the file says it.
        "list_cost": f"coalesce({read['retail']}, {read['amount']})",
        "charge_category": f"""
            case
                when {kind} = 'usage' or {unused} then 'Usage'
                when {kind} = 'purchase' then 'Purchase'
                when {kind} = 'tax' then 'Tax'
                when {kind} in ('refund', 'credit') then 'Credit'
                else 'Adjustment'
            end""",
        "commitment_discount_id": f"case when {covered} or {unused} then {benefit} end",
        "commitment_discount_status": f"case when {unused} then 'Unused' when {covered} then 'Used' end",
        "provider_name": "'Microsoft'",
        "publisher_name": f"coalesce({read['publisher']}, 'Microsoft')",
        "billing_account_id": f"coalesce({read['billing_account']}, {read['subscription']})",
        "billing_account_name": read["billing_account_name"],
        "sub_account_id": read["subscription"],
        "sub_account_name": read["subscription_name"],
        "service_name": f"coalesce({read['category']}, {read['consumed_service']}, {read['publisher']})",
        "charge_description": read["product"],
        "region_id": read["region"],
        "resource_id": read["resource"],
        "sku_id": read["meter_id"],
        "sku_meter": read["meter"],
        "x_usage_type": read["subcategory"],
        "consumed_quantity": f"case when {kind} = 'usage' then {read['quantity']} end",
        "consumed_unit": f"case when {kind} = 'usage' then {read['unit']} end",
        "invoice_id": read["invoice"],
    }


def _day(text: str) -> str:
    """Days are written 07/31/2026 (exports) or 2026-07-31."""
    return f"coalesce(try_strptime({text}, '%m/%d/%Y'), try_cast({text} as timestamp))"


AZURE_DETAILS = MappedFormat(
    required=("date", "costinbillingcurrency", "metercategory"),
    read={
        "start": ("text", ("date",)),
        "period": ("text", ("billingperiodstartdate",)),
        "amount": ("number", ("costinbillingcurrency",)),
        "retail": ("number", ("paygcostinbillingcurrency",)),
        "quantity": ("number", ("quantity",)),
        "currency": ("text", ("billingcurrency", "billingcurrencycode")),
        "type": ("text", ("chargetype",)),
        "pricing": ("text", ("pricingmodel",)),
        "benefit": ("text", ("benefitid",)),
        "reservation": ("text", ("reservationid",)),
        "publisher": ("text", ("publishername",)),
        "billing_account": ("text", ("billingaccountid",)),
        "billing_account_name": ("text", ("billingaccountname",)),
        "subscription": ("text", ("subscriptionid", "subscriptionguid")),
        "subscription_name": ("text", ("subscriptionname",)),
        "category": ("text", ("metercategory",)),
        "subcategory": ("text", ("metersubcategory",)),
        "consumed_service": ("text", ("consumedservice",)),
        "product": ("text", ("productname", "product")),
        "region": ("text", ("resourcelocation", "location")),
        "resource": ("text", ("resourceid", "instancename")),
        "meter_id": ("text", ("meterid",)),
        "meter": ("text", ("metername",)),
        "unit": ("text", ("unitofmeasure",)),
        "invoice": ("text", ("invoiceid",)),
        "tags": ("map", ("tags",)),
    },
    charge=_charge,
    maps=("tags",),
    name_of=bare,
)
