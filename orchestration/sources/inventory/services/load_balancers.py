"""Application, network and gateway load balancers, as `DescribeLoadBalancers` (v2) answers, without tags."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, utc
from orchestration.sources.inventory.services.service import Answer, Service, pages


def load_balancers(answer: Answer, place: Place) -> Iterator[Resource]:  # noqa: ARG001 (the answer has ARNs)
    """The load balancers of one page."""
    for balancer in answer["LoadBalancers"]:
        yield Resource(
            resource_id=balancer["LoadBalancerArn"],
            resource_type="elasticloadbalancing:loadbalancer",
            resource_arn=balancer["LoadBalancerArn"],
            resource_name=balancer.get("LoadBalancerName"),
            attributes=attributes_of(
                kind=balancer.get("Type"),
                scheme=balancer.get("Scheme"),
                state=balancer.get("State", {}).get("Code"),
                vpc_id=balancer.get("VpcId"),
            ),
            relationships=related("runs_in", balancer.get("VpcId")),
            created_at=utc(balancer.get("CreatedTime")),
        )


LOAD_BALANCERS = Service(
    "elasticloadbalancing:loadbalancer",
    "elbv2",
    pages("describe_load_balancers"),
    load_balancers,
    needs_tags=True,
)
