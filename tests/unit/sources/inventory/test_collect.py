"""The inventory by AWS' APIs, asked of a real server: what is found, and what a refusal does."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from orchestration.settings import InventoryAccess
from orchestration.sources.landing.snapshots import SnapshotLanding
from tests.unit.sources.inventory.conftest import Inventory
from tests.unit.sources.inventory.estate import OTHER_ACCOUNT, REGION, ROLE, Account, Ids, only


def test_everything_is_found_with_its_tags_and_what_it_belongs_to(
    first_landing: tuple[Inventory, SnapshotLanding], estate: Ids
) -> None:
    inventory, landing = first_landing

    assert landing.failures == ()
    found = {
        row[0]: row[1:]
        for row in inventory.rows("SELECT resource_id, resource_type, resource_arn, tags FROM versions")
    }
    arn = f"arn:aws:{{}}:{REGION}:{estate.account}:{{}}".format
    node_tags = {
        "CostCenter": "42",
        "Name": "node-1",
        "eks:cluster-name": "prod",
        "eks:nodegroup-name": "general",
    }
    expected = {
        estate["instance"]: ("ec2:instance", arn("ec2", f"instance/{estate['instance']}"), node_tags),
        estate["root volume"]: ("ec2:volume", arn("ec2", f"volume/{estate['root volume']}"), {}),
        estate["nat"]: ("ec2:natgateway", arn("ec2", f"natgateway/{estate['nat']}"), {}),
        estate["balancer"]: (
            "elasticloadbalancing:loadbalancer",
            estate["balancer"],
            {"team": "web"},
        ),
        arn("elasticloadbalancing", "loadbalancer/old"): (
            "elasticloadbalancing:loadbalancer",
            arn("elasticloadbalancing", "loadbalancer/old"),
            {},
        ),
        arn("rds", "db:core-1"): ("rds:db", arn("rds", "db:core-1"), {"team": "data"}),
        arn("rds", f"cluster:{estate['database cluster']}"): ("rds:cluster", arn("rds", "cluster:core"), {}),
        arn("lambda", "function:dispatch"): (
            "lambda:function",
            arn("lambda", "function:dispatch"),
            {"team": "alerts"},
        ),
        arn("eks", "cluster/prod"): ("eks:cluster", arn("eks", "cluster/prod"), {"team": "platform"}),
        arn("eks", "nodegroup/prod/general"): ("eks:nodegroup", estate["nodegroup"], {}),
        # Told by nobody but the tagging API.
        estate["vpc"]: ("ec2:vpc", arn("ec2", f"vpc/{estate['vpc']}"), {"team": "network"}),
        arn("sqs", "jobs"): ("sqs", arn("sqs", "jobs"), {"team": "alerts"}),
    }
    assert {name: found.get(name) for name in expected} == expected


def test_relationships_lead_from_volume_to_cluster(
    first_landing: tuple[Inventory, SnapshotLanding], estate: Ids
) -> None:
    inventory, _ = first_landing

    found = set(
        inventory.rows(
            "SELECT resource_id, r.relationship, r.related_resource_id "
            "FROM (SELECT resource_id, unnest(relationships) AS r FROM versions)"
        )
    )
    arn = f"arn:aws:{{}}:{REGION}:{estate.account}:{{}}".format
    old, cluster = arn("elasticloadbalancing", "loadbalancer/old"), arn("eks", "cluster/prod")
    expected = {
        (estate["root volume"], "attached_to", estate["instance"]),
        (estate["interface"], "attached_to", estate["instance"]),
        (estate["instance"], "member_of", arn("eks", "nodegroup/prod/general")),
        (estate["instance"], "member_of", cluster),
        (estate["instance"], "runs_in", estate["vpc"]),
        (arn("eks", "nodegroup/prod/general"), "member_of", cluster),
        (estate["nat"], "routes_for", estate["vpc"]),
        (old, "routes_for", estate["instance"]),
        (arn("rds", "db:core-1"), "member_of", arn("rds", "cluster:core")),
        (arn("lambda", "function:dispatch"), "runs_in", estate["subnet"]),
    }
    assert expected - found == set()


def test_several_accounts_are_asked_by_their_roles(
    inventory: Inventory, estate: Ids, credentials: None
) -> None:
    landing = inventory.land(
        InventoryAccess(role_arn=estate.roles[estate.account], regions=(REGION,)),
        InventoryAccess(role_arn=estate.roles[OTHER_ACCOUNT], regions=(REGION, "eu-west-1")),
    )

    assert landing.failures == ()
    assert landing.scopes_asked == 3 * 11
    found = inventory.rows(
        "SELECT account_id, region_id FROM versions "
        f"WHERE resource_id IN ('{estate['other volume']}', '{estate['instance']}') ORDER BY ALL"
    )
    assert found == [(estate.account, REGION), (OTHER_ACCOUNT, REGION)]


def test_what_goes_ends_and_what_is_refused_does_not(
    inventory: Inventory,
    estate: Ids,
    policy: dict[str, Any],
    credentials: None,
    s3_endpoint: str,
    held_to_policies: Callable[[], AbstractContextManager[None]],
) -> None:
    account = Account(s3_endpoint, OTHER_ACCOUNT)
    ec2, iam = account.client("ec2"), account.client("iam")
    access = InventoryAccess(role_arn=estate.roles[OTHER_ACCOUNT], regions=(REGION,))
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    of_volume = f"SELECT is_present, observed_at::VARCHAR FROM versions WHERE resource_id = '{volume}'"
    inventory.land(access, day=1)
    assert inventory.rows(of_volume) == [(True, "2026-05-01 06:00:00")]

    # The volume goes, but the role may not see volumes any more.
    ec2.delete_volume(VolumeId=volume)
    whole = json.dumps(only(policy, "TakeInventory"))
    without = whole.replace('"ec2:DescribeVolumes", ', "")
    assert without != whole
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=without)
    with held_to_policies():
        landing = inventory.land(access, day=2)
    assert (
        f"account {OTHER_ACCOUNT}, {REGION}, DescribeVolumes was denied (AccessDenied); "
        "allow ec2:DescribeVolumes"
    ) in landing.failures
    assert landing.changes.gone == 0
    assert inventory.rows(of_volume) == [(True, "2026-05-01 06:00:00")]
    scope = f"api:{OTHER_ACCOUNT}/{REGION}/ec2:volume"
    assert inventory.rows(f"SELECT detail FROM snapshots WHERE NOT is_complete AND scope = '{scope}'") == [
        ("DescribeVolumes was denied (AccessDenied); allow ec2:DescribeVolumes",)
    ]

    # Once it may, what is gone is gone: as of the snapshot that says so.
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=whole)
    with held_to_policies():
        landing = inventory.land(access, day=3)
    assert [failure for failure in landing.failures if "Volumes" in failure] == []
    assert landing.changes.gone == 1
    assert inventory.rows(of_volume) == [(True, "2026-05-01 06:00:00"), (False, "2026-05-03 06:00:00")]
