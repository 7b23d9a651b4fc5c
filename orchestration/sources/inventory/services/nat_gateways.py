"""NAT gateways, as `DescribeNatGateways` answers: which VPC they route for.

Bills have their id or their ARN.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, tags_of, utc
from orchestration.sources.inventory.services.service import Answer, Service, pages


def nat_gateways(answer: Answer, place: Place) -> Iterator[Resource]:
    """The NAT gateways of one page."""
    for gateway in answer["NatGateways"]:
        tags = tags_of(gateway.get("Tags"))
        yield Resource(
            resource_id=gateway["NatGatewayId"],
            resource_type="ec2:natgateway",
            resource_arn=place.arn("ec2", f"natgateway/{gateway['NatGatewayId']}"),
            resource_name=tags.get("Name"),
            tags=tags,
            attributes=attributes_of(
                state=gateway.get("State"),
                connectivity_type=gateway.get("ConnectivityType"),
                vpc_id=gateway.get("VpcId"),
                subnet_id=gateway.get("SubnetId"),
            ),
            relationships=(
                *related("routes_for", gateway.get("VpcId")),
                *related("runs_in", gateway.get("SubnetId")),
            ),
            created_at=utc(gateway.get("CreateTime")),
        )


NAT_GATEWAYS = Service("ec2:natgateway", "ec2", pages("describe_nat_gateways"), nat_gateways)
