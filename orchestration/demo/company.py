"""The sample company: Northwind Analytics, a fictional software service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

COMPANY = "Northwind Analytics"
REGION = "us-east-1"
MONTHS = (date(2026, 9, 1), date(2026, 10, 1))
END = date(2026, 11, 1)

Segment = Literal["enterprise", "mid-market", "startup"]


@dataclass(frozen=True)
class Account:
    """A cloud account; its id is text, because ids can start with zeros."""

    account_id: str
    name: str


PRODUCTION = Account("111111111111", "nw-production")
DATA = Account("222222222222", "nw-data")
STAGING = Account("333333333333", "nw-staging")
DEVELOPMENT = Account("444444444444", "nw-development")
MANAGEMENT = Account("555555555555", "nw-management")
ACCOUNTS = (PRODUCTION, DATA, STAGING, DEVELOPMENT, MANAGEMENT)
PAYER = MANAGEMENT


@dataclass(frozen=True)
class Stream:
    """A kind of usage that the product counts per customer.

    `rate` is the usage of a customer of weight 1 in an average hour (or day, for a daily stream); `adoption`
    is the percentage of customers that use it at all; `decimals` is its precision.
    """

    name: str
    unit: str
    granularity: Literal["hourly", "daily"]
    rate: Decimal
    adoption: int
    decimals: int = 0


STREAMS = (
    Stream("search_queries", "query", "hourly", Decimal(120), 100),
    Stream("dashboard_views", "view", "hourly", Decimal(40), 90),
    Stream("alerts_evaluated", "evaluation", "hourly", Decimal(300), 60),
    Stream("gib_ingested", "GiB", "hourly", Decimal("0.35"), 65, decimals=6),
    Stream("rows_exported", "row", "daily", Decimal(25000), 50),
)

# Calls to the shared gateway per unit of each feature's own stream.
GATEWAY_STREAM = "gateway_requests"
GATEWAY_CALLS = {"Search": ("search_queries", 1), "Dashboards": ("dashboard_views", 8)}


@dataclass(frozen=True)
class Customer:
    """A paying customer. `weight` is how much it uses the product, `hour_offset` when its day starts."""

    customer_id: str
    name: str
    segment: Segment
    plan: str
    weight: Decimal
    hour_offset: int
    first_day: date
    last_day: date
    monthly_revenue: Decimal

    @property
    def revenue_by_product(self) -> dict[str, Decimal]:
        """Monthly revenue of each product in the plan, in whole cents."""
        pipelines = (self.monthly_revenue * _PIPELINES_SHARES[self.plan]).quantize(Decimal("0.01"))
        parts = {"Insights": self.monthly_revenue - pipelines, "Pipelines": pipelines}
        return {product: revenue for product, revenue in parts.items() if revenue}

    def is_active_in(self, month: date) -> bool:
        """Whether it was a customer on any day of the month starting on `month`."""
        return self.first_day.replace(day=1) <= month <= self.last_day


@dataclass(frozen=True)
class Incident:
    """The sample's cost spike: one customer's usage of a stream surges after a deployment."""

    customer_id: str
    stream: str
    deployed_at: datetime
    starts_at: datetime
    hours: int
    usage_factor: int

    @property
    def ends_at(self) -> datetime:
        """First moment at which everything is back to normal."""
        return self.starts_at + timedelta(hours=self.hours)


INCIDENT = Incident(
    customer_id="cust-017",
    stream="search_queries",
    deployed_at=datetime(2026, 10, 20, 13, 55, tzinfo=UTC),
    starts_at=datetime(2026, 10, 20, 14, tzinfo=UTC),
    hours=30,
    usage_factor=60,
)

DEPLOYMENTS: tuple[dict[str, str], ...] = tuple(
    {
        "deployed_at": deployed_at,
        "service": service,
        "version": version,
        "feature": feature,
        "environment": "production",
        "description": description,
    }
    for deployed_at, service, version, feature, description in (
        ("2026-09-03T10:20:00Z", "dashboards-web", "5.14.0", "Dashboards", "New chart library"),
        ("2026-09-10T15:05:00Z", "ingest-gateway", "3.2.1", "Ingest", "Larger upload parts"),
        ("2026-09-17T09:40:00Z", "alerts-engine", "2.8.0", "Alerts", "Alerts on several conditions"),
        ("2026-09-29T13:10:00Z", "search-api", "7.1.0", "Search", "Suggestions while typing"),
        ("2026-10-07T08:30:00Z", "exports-runner", "1.19.2", "Exports", "Retries for slow warehouses"),
        ("2026-10-13T14:45:00Z", "dashboards-web", "5.15.0", "Dashboards", "Shared folders"),
        (
            f"{INCIDENT.deployed_at:%Y-%m-%dT%H:%M:%SZ}",
            "search-indexer",
            "7.2.0",
            "Search",
            "Index attachments; clients with automatic refresh query every page again",
        ),
        ("2026-10-21T19:40:00Z", "search-indexer", "7.2.1", "Search", "Cache refreshed pages"),
        ("2026-10-28T11:00:00Z", "ingest-workers", "3.3.0", "Ingest", "Compression on arrival"),
    )
)

_SEGMENTS: tuple[tuple[Segment, int, tuple[int, int], tuple[int, int]], ...] = (
    # segment, customers, weight in hundredths (from, to), revenue in cents per hundredth of weight (from, to)
    ("enterprise", 12, (1800, 6000), (95, 140)),
    ("mid-market", 28, (300, 1200), (110, 220)),
    ("startup", 40, (20, 150), (130, 420)),
)
_PLANS: dict[Segment, str] = {"enterprise": "Enterprise", "mid-market": "Growth", "startup": "Starter"}
# Revenue of each plan by product; the rest is for Insights.
_PIPELINES_SHARES = {"Enterprise": Decimal("0.30"), "Growth": Decimal("0.25"), "Starter": Decimal(0)}
_FIRST_WORDS = (
    *("Alder", "Basalt", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper"),
    *("Kestrel", "Lumen", "Meridian", "Nimbus", "Osprey", "Pioneer", "Quartz", "Redwood", "Summit", "Tundra"),
)
_SECOND_WORDS = ("Logistics", "Health", "Robotics", "Foods", "Energy", "Retail", "Mobility", "Studios")


def customers(seed: int) -> tuple[Customer, ...]:
    """All 80 customers: 12 enterprise, 28 mid-market and 40 startup, deterministic per seed."""
    chance = Random(seed)  # noqa: S311 - sample data, not a secret
    made: list[Customer] = []
    for segment, count, (lightest, heaviest), (cheapest, dearest) in _SEGMENTS:
        for _ in range(count):
            number = len(made) + 1
            weight = chance.randint(lightest, heaviest)
            made.append(
                Customer(
                    customer_id=f"cust-{number:03d}",
                    name=_name(number - 1),
                    segment=segment,
                    plan=_PLANS[segment],
                    weight=Decimal(weight) / 100,
                    hour_offset=chance.choice((0, 0, 1, 5, 8, 9, 17, 18)),
                    # Two join or leave within the two months, so that the number of customers changes.
                    first_day=date(2026, 10, 5) if number == 79 else MONTHS[0],
                    last_day=date(2026, 9, 20) if number == 58 else END - timedelta(days=1),
                    monthly_revenue=Decimal(weight * chance.randint(cheapest, dearest)) / 100,
                )
            )
    return tuple(made)


def _name(number: int) -> str:
    """A distinct name for each number below 80; neighbours have nothing in common."""
    turn, first = divmod(number, len(_FIRST_WORDS))
    return f"{_FIRST_WORDS[first]} {_SECOND_WORDS[(first + 7 * turn) % len(_SECOND_WORDS)]}"
