"""EC2 instances, as `DescribeInstances` answers: what they are members of, where they run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from orchestration.sources.inventory.resource import (
    Place,
    Relationship,
    Resource,
    attributes_of,
    related,
    tags_of,
    utc,
)
from orchestration.sources.inventory.services.service import Answer, Service, pages

_OWNED_BY_CLUSTER = "kubernetes.io/cluster/"


def instances(answer: Answer, place: Place) -> Iterator[Resource]:
    """The instances of one page."""
    for reservation in answer["Reservations"]:
        for instance in reservation["Instances"]:
            tags = tags_of(instance.get("Tags"))
            yield Resource(
                resource_id=instance["InstanceId"],
                resource_type="ec2:instance",
                resource_arn=place.arn("ec2", f"instance/{instance['InstanceId']}"),
                resource_name=tags.get("Name"),
                tags=tags,
                attributes=attributes_of(
                    instance_type=instance.get("InstanceType"),
                    state=instance.get("State", {}).get("Name"),
                    lifecycle=instance.get("InstanceLifecycle", "on-demand"),
                    architecture=instance.get("Architecture"),
                    image_id=instance.get("ImageId"),
                    vpc_id=instance.get("VpcId"),
                    subnet_id=instance.get("SubnetId"),
                    availability_zone=instance.get("Placement", {}).get("AvailabilityZone"),
                ),
                relationships=(
                    *_memberships(tags, place),
                    *related("runs_in", instance.get("VpcId"), instance.get("SubnetId")),
                ),
                created_at=utc(_first_seen(instance)),
            )


def _memberships(tags: dict[str, str], place: Place) -> Iterator[Relationship]:
    """Memberships that AWS records in tags of instances."""
    yield from related("member_of", tags.get("aws:autoscaling:groupName"))
    clusters = {key.removeprefix(_OWNED_BY_CLUSTER) for key in tags if key.startswith(_OWNED_BY_CLUSTER)}
    cluster = tags.get("eks:cluster-name") or tags.get("aws:eks:cluster-name")
    nodegroup = tags.get("eks:nodegroup-name")
    if cluster and nodegroup:
        yield from related("member_of", place.arn("eks", f"nodegroup/{cluster}/{nodegroup}"))
    for name in sorted({*clusters, *([cluster] if cluster else [])}):
        yield from related("member_of", place.arn("eks", f"cluster/{name}"))


def _first_seen(instance: Answer) -> datetime | None:
    """`LaunchTime` changes with every start; the first attachment dates from creation."""
    attached = [
        device["Ebs"]["AttachTime"]
        for device in instance.get("BlockDeviceMappings", ())
        if "AttachTime" in device.get("Ebs", {})
    ] + [
        interface["Attachment"]["AttachTime"]
        for interface in instance.get("NetworkInterfaces", ())
        if "AttachTime" in interface.get("Attachment", {})
    ]
    launched = [instance["LaunchTime"]] if "LaunchTime" in instance else []
    return min([*attached, *launched], default=None)


INSTANCES = Service("ec2:instance", "ec2", pages("describe_instances"), instances)
