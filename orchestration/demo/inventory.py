"""The sample company's inventory: instances, disks, networks and their relationships.

Less than half of the bill is tagged: disks, gateways, nodes and database cluster instances have no tags of
their own and inherit those of related resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb

from orchestration.demo.company import DATA, MANAGEMENT, PRODUCTION, REGION, STAGING, Account
from orchestration.demo.company import DEVELOPMENT as SANDBOX
from orchestration.demo.estate import CLUSTER, CLUSTER_ACCOUNT

# By the second day's inventory, somebody has tagged the oldest workers.
SNAPSHOTS = ("2026-09-01T06:00:00Z", "2026-10-06T06:00:00Z")
LEGACY_WORKERS = "nw-ingest-workers-legacy"

ATTACHED = {
    "nw-search-data": "nw-search-indexer",
    "nw-prod-node-root": "nw-prod-node",
    "nw-ingest-spool": "nw-ingest-gateway",
    "nw-staging-data": "nw-staging-app-1",
}
VPCS = {
    PRODUCTION.account_id: ("vpc-0a1production", {"Name": "nw-production", "environment": "prod"}),
    DATA.account_id: ("vpc-0b2data", {"Name": "nw-data", "environment": "prod", "app": "ingest-gateway"}),
}
ACCOUNTS: tuple[tuple[Account, str, dict[str, str]], ...] = (
    (PRODUCTION, "Root/Workloads/Production", {"environment": "production"}),
    (DATA, "Root/Workloads/Production", {"environment": "production", "team": "Data platform"}),
    (STAGING, "Root/Workloads/Staging", {"environment": "staging"}),
    (SANDBOX, "Root/Workloads/Development", {"environment": "development"}),
    (MANAGEMENT, "Root", {"team": "Security"}),
)

# The cluster is tagged, its two instances are not.
DATABASE = "nw-dashboards-prod"
DATABASE_ARN = f"arn:aws:rds:{REGION}:{PRODUCTION.account_id}:cluster:{DATABASE}"

_TYPES = {"i": "ec2:instance", "vol": "ec2:volume", "nat": "ec2:natgateway"}
_KINDS = {"i": "instance", "vol": "volume", "nat": "natgateway"}
_TYPES_OF_ARNS = {"elasticloadbalancing": "elasticloadbalancing:loadbalancer", "rds": "rds:db"}
_CLUSTER_ARN = f"arn:aws:eks:{REGION}:{CLUSTER_ACCOUNT.account_id}:cluster/{CLUSTER}"


def inventory_files(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, bytes]]:
    """The inventory's files by key, from the table `resources` created by `billing.py`."""
    found = connection.execute(
        """
        select distinct on (resource_id) name, account_id, resource_id, usage_type, tags
        from resources
        where regexp_matches(resource_id, '^(i|vol|nat)-|:loadbalancer/|:rds:.*:db:')
        order by resource_id, usage_type
        """
    ).fetchall()
    ids = {name: resource_id for name, _, resource_id, *_ in found}
    for number, moment in enumerate(SNAPSHOTS):
        rows = [*_networks(moment), *(_resource(moment, number > 0, ids, *row) for row in found)]
        yield f"inventory/{moment[:10]}.jsonl", b"".join(_line(row) for row in rows)
    yield (
        "accounts/accounts.jsonl",
        b"".join(
            _line(
                {
                    "account_id": account.account_id,
                    "account_name": account.name,
                    "organizational_unit_path": path,
                    "tags": tags,
                }
            )
            for account, path, tags in ACCOUNTS
        ),
    )


def _networks(moment: str) -> Iterable[dict[str, Any]]:
    for account_id, (vpc, tags) in VPCS.items():
        yield _row(moment, account_id, vpc, "ec2:vpc", f"arn:aws:ec2:{REGION}:{account_id}:vpc/{vpc}", tags)
    tags = {"Name": CLUSTER, "team": "Core platform", "environment": "production"}
    yield _row(moment, CLUSTER_ACCOUNT.account_id, _CLUSTER_ARN, "eks:cluster", _CLUSTER_ARN, tags)
    tags = {"Name": DATABASE, "app": "dashboards-web", "environment": "PROD", "team": "Visualisation"}
    yield _row(moment, PRODUCTION.account_id, DATABASE_ARN, "rds:cluster", DATABASE_ARN, tags)


def _resource(
    moment: str,
    is_tagged_later: bool,
    ids: dict[str, str],
    name: str,
    account_id: str,
    resource_id: str,
    usage_type: str,
    tags: dict[str, str],
) -> dict[str, Any]:
    spelled = {"Name": name, **{key.removeprefix("user_"): value for key, value in tags.items()}}
    spelled.pop("name", None)
    if is_tagged_later and name.startswith(LEGACY_WORKERS):
        spelled |= {"app": "ingest-workers", "environment": "Production"}
    type_of_resource, arn = _type_and_arn(account_id, resource_id)
    row = _row(moment, account_id, resource_id, type_of_resource, arn, spelled)
    is_machine = type_of_resource == "ec2:instance"
    row["attributes"] = {"instance_type": usage_type.partition(":")[2]} if is_machine else {}
    row["relationships"] = [
        {"relationship": relationship, "related_resource_id": related}
        for relationship, related in _relations(name, account_id, ids)
    ]
    return row


def _type_and_arn(account_id: str, resource_id: str) -> tuple[str, str]:
    """Load balancers and databases are billed by ARN; instances, disks and gateways by id."""
    if resource_id.startswith("arn:"):
        return _TYPES_OF_ARNS[resource_id.split(":")[2]], resource_id
    kind = resource_id.partition("-")[0]
    return _TYPES[kind], f"arn:aws:ec2:{REGION}:{account_id}:{_KINDS[kind]}/{resource_id}"


def _relations(name: str, account_id: str, ids: dict[str, str]) -> Iterable[tuple[str, str]]:
    for disk, machine in ATTACHED.items():
        if name.startswith(disk) and (owner := ids.get(machine + name.removeprefix(disk))):
            yield "attached_to", owner
    if name.startswith(f"{CLUSTER}-node-") and "-root" not in name:
        yield "member_of", _CLUSTER_ARN
    if "-nat-" in name and account_id in VPCS:
        yield "routes_for", VPCS[account_id][0]
    if "-lb" in name and account_id in VPCS:
        yield "runs_in", VPCS[account_id][0]
    if name.startswith(f"{DATABASE}-"):
        yield "member_of", DATABASE_ARN


def _row(
    moment: str, account_id: str, resource_id: str, kind: str, arn: str, tags: dict[str, str]
) -> dict[str, Any]:
    return {
        "snapshot_time": moment,
        "resource_id": resource_id,
        "resource_type": kind,
        "resource_arn": arn,
        "account_id": account_id,
        "region_id": REGION,
        "resource_name": tags["Name"],
        "tags": tags,
    }


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row) + "\n").encode()
