"""The columns of FOCUS 1.2, 1.3 and 1.4 (Cost and Usage) as facts of the specification, and rules as SQL.

Feature levels, nullability, types and allowed values are those of the column definitions. Conditional columns
must be there only if the dataset's generator supports what they are about; shares of a bill have no unit
prices, SKUs, commitments, resources or measured consumption of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["Mandatory", "Conditional", "Recommended"]


@dataclass(frozen=True)
class Column:
    """A column of FOCUS; `nullable` is what its definition allows, `values` the only ones it may have."""

    level: Level
    kind: Literal["decimal", "text", "time", "json"]
    nullable: bool = True
    values: tuple[str, ...] = ()


CATEGORIES = (
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Multicloud",
    "Networking",
    "Security",
    "Storage",
    "Web",
    "Other",
)

_OF_1_2: dict[str, Column] = {
    "AvailabilityZone": Column("Recommended", "text"),
    "BilledCost": Column("Mandatory", "decimal", nullable=False),
    "BillingAccountId": Column("Mandatory", "text", nullable=False),
    "BillingAccountName": Column("Mandatory", "text"),
    "BillingAccountType": Column("Conditional", "text"),
    "BillingCurrency": Column("Mandatory", "text", nullable=False),
    "BillingPeriodEnd": Column("Mandatory", "time", nullable=False),
    "BillingPeriodStart": Column("Mandatory", "time", nullable=False),
    "CapacityReservationId": Column("Conditional", "text"),
    "CapacityReservationStatus": Column("Conditional", "text", values=("Used", "Unused")),
    "ChargeCategory": Column(
        "Mandatory", "text", nullable=False, values=("Usage", "Purchase", "Tax", "Credit", "Adjustment")
    ),
    "ChargeClass": Column("Mandatory", "text", values=("Correction",)),
    "ChargeDescription": Column("Mandatory", "text"),
    "ChargeFrequency": Column(
        "Recommended", "text", nullable=False, values=("One-Time", "Recurring", "Usage-Based")
    ),
    "ChargePeriodEnd": Column("Mandatory", "time", nullable=False),
    "ChargePeriodStart": Column("Mandatory", "time", nullable=False),
    "CommitmentDiscountCategory": Column("Conditional", "text", values=("Spend", "Usage")),
    "CommitmentDiscountId": Column("Conditional", "text"),
    "CommitmentDiscountName": Column("Conditional", "text"),
    "CommitmentDiscountQuantity": Column("Conditional", "decimal"),
    "CommitmentDiscountStatus": Column("Conditional", "text", values=("Used", "Unused")),
    "CommitmentDiscountType": Column("Conditional", "text"),
    "CommitmentDiscountUnit": Column("Conditional", "text"),
    "ConsumedQuantity": Column("Conditional", "decimal"),
    "ConsumedUnit": Column("Conditional", "text"),
    "ContractedCost": Column("Mandatory", "decimal", nullable=False),
    "ContractedUnitPrice": Column("Conditional", "decimal"),
    "EffectiveCost": Column("Mandatory", "decimal", nullable=False),
    "InvoiceId": Column("Recommended", "text"),
    "InvoiceIssuerName": Column("Mandatory", "text", nullable=False),
    "ListCost": Column("Mandatory", "decimal", nullable=False),
    "ListUnitPrice": Column("Conditional", "decimal"),
    "PricingCategory": Column("Conditional", "text", values=("Standard", "Dynamic", "Committed", "Other")),
    "PricingCurrency": Column("Conditional", "text"),
    "PricingCurrencyContractedUnitPrice": Column("Conditional", "decimal"),
    "PricingCurrencyEffectiveCost": Column("Conditional", "decimal"),
    "PricingCurrencyListUnitPrice": Column("Conditional", "decimal"),
    "PricingQuantity": Column("Mandatory", "decimal"),
    "PricingUnit": Column("Mandatory", "text"),
    "ProviderName": Column("Mandatory", "text", nullable=False),
    "PublisherName": Column("Mandatory", "text", nullable=False),
    "RegionId": Column("Conditional", "text"),
    "RegionName": Column("Conditional", "text"),
    "ResourceId": Column("Conditional", "text"),
    "ResourceName": Column("Conditional", "text"),
    "ResourceType": Column("Conditional", "text"),
    "ServiceCategory": Column("Mandatory", "text", nullable=False, values=CATEGORIES),
    "ServiceName": Column("Mandatory", "text", nullable=False),
    "ServiceSubcategory": Column("Recommended", "text", nullable=False),
    "SkuId": Column("Conditional", "text"),
    "SkuMeter": Column("Conditional", "text"),
    "SkuPriceDetails": Column("Conditional", "json"),
    "SkuPriceId": Column("Conditional", "text"),
    "SubAccountId": Column("Conditional", "text"),
    "SubAccountName": Column("Conditional", "text"),
    "SubAccountType": Column("Conditional", "text"),
    "Tags": Column("Conditional", "json"),
}

_SINCE_1_3 = {
    # With split costs, as here, the first four are mandatory.
    "AllocatedMethodId": Column("Mandatory", "text"),
    "AllocatedResourceId": Column("Mandatory", "text"),
    "AllocatedResourceName": Column("Mandatory", "text"),
    "AllocatedTags": Column("Mandatory", "json"),
    "AllocatedMethodDetails": Column("Recommended", "json"),
    "ContractApplied": Column("Conditional", "json"),
    "HostProviderName": Column("Mandatory", "text", nullable=False),
    "ServiceProviderName": Column("Mandatory", "text", nullable=False),
}
_SINCE_1_4 = {
    "CommitmentProgramEligibilityDetails": Column("Conditional", "json"),
    "InvoiceDetailId": Column("Conditional", "text"),
    "PrincipalId": Column("Conditional", "text"),
}
_UNTIL_1_3 = ("ProviderName", "PublisherName")

COLUMNS: dict[str, dict[str, Column]] = {
    "1.2": _OF_1_2,
    "1.3": {**_OF_1_2, **_SINCE_1_3},
    "1.4": {
        name: column
        for name, column in {**_OF_1_2, **_SINCE_1_3, **_SINCE_1_4}.items()
        if name not in _UNTIL_1_3
    },
}

# Each selects the rows that break the rule.
RULES = {
    "a currency is a code of ISO 4217": "not regexp_full_match(BillingCurrency, '[A-Z]{3}')",
    "a billing period is a whole month, its end not included": (
        "day(BillingPeriodStart) <> 1 or BillingPeriodEnd <> BillingPeriodStart + interval 1 month"
    ),
    "a charge period ends after it starts": "ChargePeriodEnd <= ChargePeriodStart",
    "periods start and end on the whole hour, in UTC": (
        "ChargePeriodStart <> date_trunc('hour', ChargePeriodStart) "
        "or ChargePeriodEnd <> date_trunc('hour', ChargePeriodEnd)"
    ),
    "usage and purchases have a pricing quantity, unless they correct": (
        "ChargeCategory in ('Usage', 'Purchase') and ChargeClass is null and PricingQuantity is null"
    ),
    "usage and purchases have a pricing unit, unless they correct": (
        "ChargeCategory in ('Usage', 'Purchase') and ChargeClass is null and PricingUnit is null"
    ),
    "tax has neither": "ChargeCategory = 'Tax' and (PricingQuantity is not null or PricingUnit is not null)",
    "texts are not empty": "ChargeDescription = '' or ServiceName = '' or BillingAccountId = ''",
    "tags are a JSON object": "not json_valid(Tags) or json_type(Tags) <> 'OBJECT'",
    "a key of a tag is not there without its value": "contains(Tags, 'null}') or contains(Tags, ':null')",
}
RULES_OF_1_2 = {
    "tags name the customer": "Tags ->> 'customer' is distinct from x_CustomerId",
    "periods are whole days": "ChargePeriodEnd <> ChargePeriodStart + interval 1 day",
}
RULES_SINCE_1_3 = {
    "what is allocated has its method": "AllocatedResourceId is not null and AllocatedMethodId is null",
    "details, name and tags are those of what is allocated": (
        "(AllocatedMethodDetails is null) <> (AllocatedMethodId is null) "
        "or (AllocatedResourceName is null) <> (AllocatedResourceId is null) "
        "or (AllocatedTags is null) <> (AllocatedResourceId is null)"
    ),
    "details are a JSON object of elements": (
        "json_type(AllocatedMethodDetails, '$.Elements') <> 'ARRAY' "
        "or json_type(AllocatedMethodDetails, '$.Elements[0].AllocatedRatio') not in ('DOUBLE', 'UBIGINT')"
    ),
    "a quantity of usage has its unit": (
        "((AllocatedMethodDetails ->> '$.Elements[0].UsageQuantity') is null) "
        "<> ((AllocatedMethodDetails ->> '$.Elements[0].UsageUnit') is null)"
    ),
    "allocated tags are not among the tags": "json_exists(Tags, '$.customer')",
}
