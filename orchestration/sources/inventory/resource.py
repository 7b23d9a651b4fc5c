"""A resource in an inventory, and the place it was found in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Place:
    """One region of one account, in one of AWS' partitions (`aws`, `aws-cn`, …)."""

    partition: str
    account_id: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource in this place."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def __str__(self) -> str:
        return f"account {self.account_id}, {self.region}"


@dataclass(frozen=True)
class Relationship:
    """A resource's relationship to another: `attached_to`, `member_of`, `runs_in`, `routes_for`."""

    relationship: str
    related_resource_id: str
    since: datetime | None = None


@dataclass(frozen=True)
class Resource:
    """A resource with its id as bills spell it; `resource_arn` is the other possible spelling."""

    resource_id: str
    resource_type: str
    resource_arn: str | None = None
    resource_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    relationships: tuple[Relationship, ...] = ()
    created_at: datetime | None = None


def tags_of(listed: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as most AWS APIs list them (`Key`, `Value`)."""
    return {tag["Key"]: tag["Value"] for tag in listed or ()}


def attributes_of(**values: Any) -> dict[str, str]:
    """Attributes that have a value, as text."""
    return {name: _text(value) for name, value in values.items() if value not in (None, "", [])}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def utc(moment: datetime | None) -> datetime | None:
    """A moment as landed: UTC, without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def related(relationship: str, *ids: str | None, since: datetime | None = None) -> tuple[Relationship, ...]:
    """The same relationship to each of the given ids."""
    return tuple(Relationship(relationship, one, utc(since)) for one in ids if one)
