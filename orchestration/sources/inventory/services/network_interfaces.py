"""Network interfaces, from `DescribeNetworkInterfaces`: what each is attached to.

Only those of instances have this in a field. Services that create their own interfaces name themselves in the
description, in wording that AWS has kept for years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, tags_of
from orchestration.sources.inventory.services.service import Answer, Service, pages

_NAT_GATEWAY = re.compile(r"\b(nat-[0-9a-f]+)")
_LOAD_BALANCER = re.compile(r"^ELB ((?:app|net|gwy)/[^/ ]+/[0-9a-f]+|[A-Za-z0-9-]+)$")
_LAMBDA = re.compile(r"^AWS Lambda VPC ENI-(.+?)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def network_interfaces(answer: Answer, place: Place) -> Iterator[Resource]:
    """The network interfaces of one page."""
    for interface in answer["NetworkInterfaces"]:
        tags = tags_of(interface.get("TagSet"))
        attachment = interface.get("Attachment", {})
        owners = [attachment.get("InstanceId"), _owner(interface.get("Description", ""), place)]
        yield Resource(
            resource_id=interface["NetworkInterfaceId"],
            resource_type="ec2:network-interface",
            resource_arn=place.arn("ec2", f"network-interface/{interface['NetworkInterfaceId']}"),
            resource_name=tags.get("Name"),
            tags=tags,
            attributes=attributes_of(
                interface_type=interface.get("InterfaceType"),
                state=interface.get("Status"),
                vpc_id=interface.get("VpcId"),
                subnet_id=interface.get("SubnetId"),
                availability_zone=interface.get("AvailabilityZone"),
            ),
            relationships=(
                *related("attached_to", *owners, since=attachment.get("AttachTime")),
                *related("runs_in", interface.get("VpcId"), interface.get("SubnetId")),
            ),
        )


def _owner(description: str, place: Place) -> str | None:
    if description.startswith("Interface for NAT Gateway") and (found := _NAT_GATEWAY.search(description)):
        return found[1]
    if found := _LOAD_BALANCER.match(description):
        return place.arn("elasticloadbalancing", f"loadbalancer/{found[1]}")
    if found := _LAMBDA.match(description):
        return place.arn("lambda", f"function:{found[1]}")
    return None


NETWORK_INTERFACES = Service(
    "ec2:network-interface", "ec2", pages("describe_network_interfaces"), network_interfaces
)
