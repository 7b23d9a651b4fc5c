"""What the sample company runs in the cloud, and what it has committed to pay for.

`estate.csv` has one row per resource and thing that is metered on it (or `count` alike resources, named -1,
-2 and so on). `price` is USD per `unit`, `quantity` the units of an hour. `shape` says how that moves:
flat, office (on in office hours only), night (on from 1 to 9), incident (on while the incident lasts), curve
(follows the day and the week), growing (a little every day). `incident_factor` multiplies the quantity while
the incident lasts, `until` is the day from which the resource is gone, `paid_by` names the plan or
reservation that covers it.

Tags are as uneven as in a real account: less than half of the spend carries any, less than a third `app`, and
the environment is spelled in five ways. The rest can only be recognised by what it hangs on (`inventory.py`),
a name, a namespace, a service or an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from orchestration.demo.company import DATA, MANAGEMENT, PRODUCTION, REGION, Account

RESOURCES_FILE = Path(__file__).with_name("estate.csv")

SERVICE_NAMES: Mapping[str, str] = {
    "AWSCloudTrail": "AWS CloudTrail",
    "AWSDataTransfer": "AWS Data Transfer",
    "AWSELB": "Elastic Load Balancing",
    "AWSGlue": "AWS Glue",
    "AWSLambda": "AWS Lambda",
    "AWSQueueService": "Amazon Simple Queue Service",
    "AWSSupportEnterprise": "AWS Support (Enterprise)",
    "AmazonAthena": "Amazon Athena",
    "AmazonCloudFront": "Amazon CloudFront",
    "AmazonCloudWatch": "AmazonCloudWatch",
    "AmazonDynamoDB": "Amazon DynamoDB",
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonECR": "Amazon EC2 Container Registry (ECR)",
    "AmazonEKS": "Amazon Elastic Container Service for Kubernetes",
    "AmazonES": "Amazon OpenSearch Service",
    "AmazonElastiCache": "Amazon ElastiCache",
    "AmazonGuardDuty": "Amazon GuardDuty",
    "AmazonKinesis": "Amazon Kinesis",
    "AmazonMSK": "Amazon Managed Streaming for Apache Kafka",
    "AmazonRDS": "Amazon Relational Database Service",
    "AmazonRoute53": "Amazon Route 53",
    "AmazonS3": "Amazon Simple Storage Service",
    "AmazonVPC": "Amazon Virtual Private Cloud",
    "ComputeSavingsPlans": "Savings Plans for AWS Compute usage",
    "awskms": "AWS Key Management Service",
}


@dataclass(frozen=True)
class SavingsPlan:
    """An hourly commitment in USD per hour; covered usage costs `rate` of the on-demand price."""

    name: str
    arn: str
    offering: str
    payment: str
    commitment: Decimal
    recurring: Decimal
    rate: Decimal
    upfront_fee: Decimal
    starts: date


SAVINGS_PLANS = (
    SavingsPlan(
        name="compute",
        arn=f"arn:aws:savingsplans::{MANAGEMENT.account_id}:savingsplan/3f0c8f1e-9a55-4c3e-8f5a-6d2b9d6f1a01",
        offering="ComputeSavingsPlans",
        payment="No Upfront",
        commitment=Decimal("4.20"),
        recurring=Decimal("4.20"),
        rate=Decimal("0.72"),
        upfront_fee=Decimal(0),
        starts=date(2026, 2, 1),
    ),
    SavingsPlan(
        name="instance",
        arn=f"arn:aws:savingsplans::{MANAGEMENT.account_id}:savingsplan/8b7d2c44-1c1e-4c8e-b2f7-0e9d3a7c5b02",
        offering="EC2InstanceSavingsPlans",
        payment="Partial Upfront",
        commitment=Decimal("2.00"),
        recurring=Decimal("1.00"),
        rate=Decimal("0.63"),
        upfront_fee=Decimal("8760.00"),  # 1 USD for each of the year's hours, paid in the first month
        starts=date(2026, 9, 1),
    ),
)


@dataclass(frozen=True)
class Reservation:
    """Instances reserved for a year in one account; USD per instance and hour, and the total fee."""

    name: str
    arn: str
    account: Account
    service: str
    usage_type: str
    operation: str
    count: int
    recurring: Decimal
    upfront: Decimal
    upfront_fee: Decimal
    starts: date


RESERVATIONS = (
    Reservation(
        name="database",
        arn=f"arn:aws:rds:{REGION}:{PRODUCTION.account_id}:ri:ri-2026-03-01-core",
        account=PRODUCTION,
        service="AmazonRDS",
        usage_type="InstanceUsage:db.r6g.2xl",
        operation="CreateDBInstance:0014",
        count=3,
        recurring=Decimal("0.587"),
        upfront=Decimal(0),
        upfront_fee=Decimal(0),
        starts=date(2026, 3, 1),
    ),
    # One of the three nodes is deleted in the second month, leaving a third of the reservation unused.
    Reservation(
        name="cache",
        arn=f"arn:aws:elasticache:{REGION}:{PRODUCTION.account_id}:reserved-instance:ri-2026-09-01-cache",
        account=PRODUCTION,
        service="AmazonElastiCache",
        usage_type="NodeUsage:cache.r6g.xlarge",
        operation="CreateCacheCluster:0002",
        count=3,
        recurring=Decimal("0.1305"),
        upfront=Decimal("0.1303652968"),  # 3,426 USD over three nodes and 8,760 hours, to ten digits
        upfront_fee=Decimal("3426.00"),
        starts=date(2026, 9, 1),
    ),
)


@dataclass(frozen=True)
class Pod:
    """A Kubernetes workload on one node of the cluster; sizes are for an hour of full use."""

    node: str
    namespace: str
    workload: str
    cpu: Decimal
    gib: Decimal


CLUSTER = "nw-prod"
CLUSTER_ACCOUNT = PRODUCTION
# A node is an m6i.4xlarge; what the system's own daemons use of it is split to no pod and stays its own.
NODE_CPU, NODE_GIB = 16, 64
SYSTEM_CPU, SYSTEM_GIB = Decimal("0.6"), Decimal("2.0")

PODS = tuple(
    Pod(f"nw-prod-node-{node}", namespace, workload, Decimal(cpu), Decimal(gib))
    for node, namespace, workload, cpu, gib in (
        (1, "search-prod", "search-query", "5.0", "20"),
        (1, "dashboards-prod", "dashboards-render", "3.0", "10"),
        (1, "platform-prod", "platform-auth", "1.5", "4"),
        (2, "search-prod", "search-suggest", "4.0", "18"),
        (2, "alerts-prod", "alerts-evaluator", "4.0", "12"),
        (2, "platform-prod", "platform-gateway", "2.0", "6"),
        (3, "ingest-prod", "ingest-normaliser", "6.0", "22"),
        (3, "dashboards-prod", "dashboards-api", "3.0", "12"),
        (3, "alerts-prod", "alerts-notifier", "1.0", "3"),
        (4, "ingest-prod", "ingest-dedupe", "5.0", "24"),
        (4, "search-prod", "search-query", "4.0", "16"),
        (4, "platform-prod", "platform-metering", "1.0", "4"),
    )
)

# A monthly credit from the provider's migration programme, on one account.
MIGRATION_CREDIT = (DATA, "AmazonEC2", Decimal("-1250.00"))
# A daily credit of half the development spend.
DEVELOPMENT_CREDIT_RATE = Decimal("0.5")
TAX_RATE = Decimal("0.08")
SUPPORT_RATE = Decimal("0.04")
