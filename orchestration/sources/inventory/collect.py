"""Collect an inventory of accounts through AWS APIs.

Each service of a region is its own scope. A scope that is denied or fails half-way is skipped as a whole and
reported: it ends no resource and changes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from orchestration.settings import InventoryAccess
from orchestration.sources.aws_access import (
    AWS_ERRORS,
    AwsAccessError,
    Session,
    account_of,
    client,
    open_session,
    what_failed,
)
from orchestration.sources.inventory.resource import Place, Resource
from orchestration.sources.inventory.services import SERVICES, TAGGED_RESOURCES, Service

_AT_ONCE = 8


@dataclass(frozen=True)
class ScopeAnswer:
    """Resources of one service in one place, or (`failure`) why they are unknown this time."""

    scope: str
    place: Place
    resources: tuple[Resource, ...]
    failure: str | None = None


@dataclass(frozen=True)
class InventoryResult:
    """Answers of all scopes, and the accounts that could not be accessed."""

    answers: tuple[ScopeAnswer, ...]
    unreachable: tuple[str, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Every failure: where, which call, and what to allow."""
        return (
            *self.unreachable,
            *(f"{answer.place}, {answer.failure}" for answer in self.answers if answer.failure),
        )


def ask_accounts(accounts: Iterable[InventoryAccess], endpoint_url: str | None) -> InventoryResult:
    """Take the inventory of every region of every account, several regions in parallel."""
    places: list[tuple[Session, Place]] = []
    unreachable: list[str] = []
    for access in accounts:
        try:
            session = open_session(access, endpoint_url, access.regions[0])
            partition, account_id = account_of(session, endpoint_url, access.regions[0])
        except AwsAccessError as error:
            unreachable.append(str(error))
            continue
        places += [(session, Place(partition, account_id, region)) for region in access.regions]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as several:
        found = several.map(lambda one: tuple(ask_place(one[0], one[1], endpoint_url)), places)
        return InventoryResult(tuple(answer for answers in found for answer in answers), tuple(unreachable))


def ask_place(session: Session, place: Place, endpoint_url: str | None) -> Iterator[ScopeAnswer]:
    """Take the inventory of a place: every service, then tagged resources of others."""
    tagged = _ask(session, place, TAGGED_RESOURCES, endpoint_url)
    tags = {resource.resource_arn: resource.tags for resource in tagged.resources}
    known: set[str | None] = set()
    for service in SERVICES:
        answer = _ask(session, place, service, endpoint_url)
        if service.needs_tags and not answer.failure:
            if tagged.failure:
                failure = f"{service.name} tells no tags, and the tags are not known: {tagged.failure}"
                answer = replace(answer, resources=(), failure=failure)
            else:
                answer = replace(answer, resources=_with_tags(answer.resources, tags))
        known.update(resource.resource_arn for resource in answer.resources)
        yield answer
    yield replace(
        tagged,
        resources=tuple(resource for resource in tagged.resources if resource.resource_arn not in known),
    )


def _ask(session: Session, place: Place, service: Service, endpoint_url: str | None) -> ScopeAnswer:
    scope = f"api:{place.account_id}/{place.region}/{service.name}"
    found: dict[str, Resource] = {}
    try:
        asked = client(session, service.client, endpoint_url, place.region)
        for answer in service.ask(asked):
            found.update((resource.resource_id, resource) for resource in service.resources(answer, place))
    except AWS_ERRORS as error:
        return ScopeAnswer(scope, place, (), what_failed(error, service.client))
    return ScopeAnswer(scope, place, tuple(found.values()))


def _with_tags(
    resources: Iterable[Resource], tags: Mapping[str | None, Mapping[str, str]]
) -> tuple[Resource, ...]:
    return tuple(
        replace(resource, tags={**tags.get(resource.resource_arn, {}), **resource.tags})
        for resource in resources
    )
