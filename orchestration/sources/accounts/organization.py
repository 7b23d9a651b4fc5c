"""The accounts of an AWS organization, as its management account (or a delegated one) tells them.

The tree is walked from its roots down: one question per organizational unit, and one per account for tags.
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

# boto3 makes its clients at run time, so there is no class to name here.
Client: TypeAlias = Any

# Organizations is one service for all regions, and answers here.
_REGION = "us-east-1"


def ask_organization(access: AwsAccess, endpoint_url: str | None) -> Answer:
    """The accounts as they are now. A refusal is in the answer, and names the permission that is missing."""
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
    """An account as the organization lists it; `path` names the units above it, the root first."""
    return {
        "account_id": account["Id"],
        "account_name": account["Name"],
        "organizational_unit_path": path,
        "tags": sorted((tag["Key"], tag["Value"]) for tag in tags),
    }
