"""Classic load balancers, as `DescribeLoadBalancers` (2012) answers, without tags: whom they route for."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, utc
from orchestration.sources.inventory.services.service import Answer, Service, pages


def classic_load_balancers(answer: Answer, place: Place) -> Iterator[Resource]:
    """The load balancers of one page."""
    for balancer in answer["LoadBalancerDescriptions"]:
        arn = place.arn("elasticloadbalancing", f"loadbalancer/{balancer['LoadBalancerName']}")
        yield Resource(
            resource_id=arn,
            resource_type="elasticloadbalancing:loadbalancer",
            resource_arn=arn,
            resource_name=balancer["LoadBalancerName"],
            attributes=attributes_of(
                kind="classic", scheme=balancer.get("Scheme"), vpc_id=balancer.get("VPCId")
            ),
            relationships=(
                *related("routes_for", *(one["InstanceId"] for one in balancer.get("Instances", ()))),
                *related("runs_in", balancer.get("VPCId")),
            ),
            created_at=utc(balancer.get("CreatedTime")),
        )


CLASSIC_LOAD_BALANCERS = Service(
    "elasticloadbalancing:loadbalancer-classic",
    "elb",
    pages("describe_load_balancers"),
    classic_load_balancers,
    needs_tags=True,
)
