"""EKS clusters and node groups: listed by name, then described one by one."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, utc
from orchestration.sources.inventory.services.service import Answer, Client, Service


def ask(client: Client) -> Iterator[Answer]:
    """Describe every cluster and every node group."""
    for page in client.get_paginator("list_clusters").paginate():
        for cluster in page["clusters"]:
            yield client.describe_cluster(name=cluster)
            for groups in client.get_paginator("list_nodegroups").paginate(clusterName=cluster):
                for nodegroup in groups["nodegroups"]:
                    yield client.describe_nodegroup(clusterName=cluster, nodegroupName=nodegroup)


def clusters_and_nodegroups(answer: Answer, place: Place) -> Iterator[Resource]:
    """The described cluster or node group."""
    if cluster := answer.get("cluster"):
        vpc = cluster.get("resourcesVpcConfig", {}).get("vpcId")
        yield Resource(
            resource_id=cluster["arn"],
            resource_type="eks:cluster",
            resource_arn=cluster["arn"],
            resource_name=cluster["name"],
            tags=cluster.get("tags") or {},
            attributes=attributes_of(version=cluster.get("version"), state=cluster.get("status"), vpc_id=vpc),
            relationships=related("runs_in", vpc),
            created_at=utc(cluster.get("createdAt")),
        )
    if nodegroup := answer.get("nodegroup"):
        cluster_name, name = nodegroup["clusterName"], nodegroup["nodegroupName"]
        yield Resource(
            # Instances know their node group only by name, while its ARN ends in a generated id.
            resource_id=place.arn("eks", f"nodegroup/{cluster_name}/{name}"),
            resource_type="eks:nodegroup",
            resource_arn=nodegroup["nodegroupArn"],
            resource_name=name,
            tags=nodegroup.get("tags") or {},
            attributes=attributes_of(
                cluster=cluster_name,
                capacity_type=nodegroup.get("capacityType"),
                instance_type=", ".join(nodegroup.get("instanceTypes") or ()),
                state=nodegroup.get("status"),
            ),
            relationships=related("member_of", place.arn("eks", f"cluster/{cluster_name}")),
            created_at=utc(nodegroup.get("createdAt")),
        )


EKS_CLUSTERS = Service("eks:cluster", "eks", ask, clusters_and_nodegroups)
