"""Accounts of an AWS organization, read through its management account or a delegated administrator.

Walks the tree from its roots: one call per organizational unit, and one per account for tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from orchestration.settings import AwsAccess
from orchestration.sources.aws_access import (
    AWS_ERRORS,
    AwsAccessError,
    account_of,
    client,
    open_session,
    what_failed,
)
from orchestration.sources.landing.snapshots import Answer

# boto3 creates its clients at run time, so there is no type to import.
Client: TypeAlias = Any

# Organizations is a global service with this endpoint.
_REGION = "us-east-1"


def ask_organization(access: AwsAccess, endpoint_url: str | None) -> Answer:
    """The current accounts. If denied, the answer names the missing permission."""
    try:
        session = open_session(access, endpoint_url, _REGION)
        _, account_id = account_of(session, endpoint_url, _REGION)
    except AwsAccessError as error:
        return Answer(f"api:organization/{access.role_arn or 'own'}", (), str(error))
    scope = f"api:organization/{account_id}"
    try:
        found = tuple(_accounts(client(session, "organizations", endpoint_url, _REGION)))
    except AWS_ERRORS as error:
        return Answer(
            scope, (), f"organization of account {account_id}, {what_failed(error, 'organizations')}"
        )
    return Answer(scope, found)


def _accounts(organizations: Client) -> Iterator[dict[str, Any]]:
    for page in organizations.get_paginator("list_roots").paginate():
        for root in page["Roots"]:
            yield from _below(organizations, root["Id"], root["Name"])


def _below(organizations: Client, parent: str, path: str) -> Iterator[dict[str, Any]]:
    for page in organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=parent):
        for account in page["Accounts"]:
            yield account_in(account, path, _tags(organizations, account["Id"]))
    units = organizations.get_paginator("list_organizational_units_for_parent")
    for page in units.paginate(ParentId=parent):
        for unit in page["OrganizationalUnits"]:
            yield from _below(organizations, unit["Id"], f"{path}/{unit['Name']}")


def _tags(organizations: Client, account_id: str) -> Iterator[Mapping[str, str]]:
    for page in organizations.get_paginator("list_tags_for_resource").paginate(ResourceId=account_id):
        yield from page["Tags"]


def account_in(account: Mapping[str, str], path: str, tags: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """An account as listed by the organization; `path` names the units above it, from the root."""
    return {
        "account_id": account["Id"],
        "account_name": account["Name"],
        "organizational_unit_path": path,
        "tags": sorted((tag["Key"], tag["Value"]) for tag in tags),
    }
