"""Database clusters, as `DescribeDBClusters` answers.

Bills name what a cluster stores by an ARN with the cluster's resource id, everything else by its name.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, tags_of, utc
from orchestration.sources.inventory.services.service import Answer, Service, pages


def database_clusters(answer: Answer, place: Place) -> Iterator[Resource]:
    """The database clusters of one page."""
    for cluster in answer["DBClusters"]:
        arn = cluster["DBClusterArn"]
        internal_id = cluster.get("DbClusterResourceId")
        yield Resource(
            resource_id=place.arn("rds", f"cluster:{internal_id}") if internal_id else arn,
            resource_type="rds:cluster",
            resource_arn=arn,
            resource_name=cluster["DBClusterIdentifier"],
            tags=tags_of(cluster.get("TagList")),
            attributes=attributes_of(
                engine=cluster.get("Engine"),
                engine_mode=cluster.get("EngineMode"),
                state=cluster.get("Status"),
                storage_type=cluster.get("StorageType"),
            ),
            created_at=utc(cluster.get("ClusterCreateTime")),
        )


RDS_CLUSTERS = Service("rds:cluster", "rds", pages("describe_db_clusters"), database_clusters)
