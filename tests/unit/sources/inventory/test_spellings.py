"""What ids, ARNs and descriptions say: read without asking anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.sources.inventory.resource import Place
from orchestration.sources.inventory.services.instances import instances
from orchestration.sources.inventory.services.network_interfaces import network_interfaces
from orchestration.sources.inventory.services.tagged_resources import type_and_id

PLACE = Place("aws", "111111111111", "eu-central-1")


@pytest.mark.parametrize(
    ("arn", "resource_type", "resource_id"),
    [
        ("arn:aws:ec2:eu-central-1:1:volume/vol-1", "ec2:volume", "vol-1"),
        ("arn:aws:ec2:eu-central-1:1:vpc-endpoint/vpce-1", "ec2:vpc-endpoint", "vpce-1"),
        ("arn:aws:s3:::nw-logs", "s3:bucket", "nw-logs"),
        ("arn:aws:sqs:eu-central-1:1:jobs", "sqs", None),
        ("arn:aws:rds:eu-central-1:1:db:core-1", "rds:db", None),
        ("arn:aws:dynamodb:eu-central-1:1:table/sessions", "dynamodb:table", None),
        (
            "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/front/0a",
            "elasticloadbalancing:loadbalancer",
            None,
        ),
        (
            "arn:aws:logs:eu-central-1:1:log-group:/aws/eks/prod:*",
            "logs:log-group",
            "arn:aws:logs:eu-central-1:1:log-group:/aws/eks/prod",
        ),
    ],
)
def test_an_arn_says_what_a_resource_is_and_how_bills_name_it(
    arn: str, resource_type: str, resource_id: str | None
) -> None:
    assert type_and_id(arn) == (resource_type, resource_id or arn)


@pytest.mark.parametrize(
    ("description", "owner"),
    [
        ("Interface for NAT Gateway nat-0abc1", "nat-0abc1"),
        (
            "ELB app/front/50dc6c495c0c9188",
            "arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/app/front/50dc6c495c0c9188",
        ),
        (
            "ELB old-front",
            "arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/old-front",
        ),
        (
            "AWS Lambda VPC ENI-nw-alerts-dispatch-1b2e8f0a-0c1d-4f5e-8a9b-0123456789ab",
            "arn:aws:lambda:eu-central-1:111111111111:function:nw-alerts-dispatch",
        ),
        ("ELB with words of somebody", None),
        ("Primary network interface", None),
    ],
)
def test_an_interface_belongs_to_what_made_it(description: str, owner: str | None) -> None:
    answer = {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "Description": description}]}
    [interface] = network_interfaces(answer, PLACE)
    assert [(one.relationship, one.related_resource_id) for one in interface.relationships] == (
        [("attached_to", owner)] if owner else []
    )


def test_an_instance_that_was_started_again_is_as_old_as_its_first_disk() -> None:
    made = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    tags = [{"Key": "aws:autoscaling:groupName", "Value": "workers"}]
    tags += [{"Key": "kubernetes.io/cluster/self-made", "Value": "owned"}]
    instance = {
        "InstanceId": "i-1",
        "LaunchTime": made + timedelta(days=90),
        "BlockDeviceMappings": [{"Ebs": {"VolumeId": "vol-1", "AttachTime": made}}],
        "Tags": tags,
    }
    [found] = instances({"Reservations": [{"Instances": [instance]}]}, PLACE)
    assert found.created_at == made.replace(tzinfo=None)
    assert [(one.relationship, one.related_resource_id) for one in found.relationships] == [
        ("member_of", "workers"),
        ("member_of", "arn:aws:eks:eu-central-1:111111111111:cluster/self-made"),
    ]
