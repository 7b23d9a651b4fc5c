"""Database instances, as `DescribeDBInstances` answers: which cluster they are members of."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, tags_of, utc
from orchestration.sources.inventory.services.service import Answer, Service, pages


def database_instances(answer: Answer, place: Place) -> Iterator[Resource]:
    """The database instances of one page."""
    for instance in answer["DBInstances"]:
        cluster = instance.get("DBClusterIdentifier")
        vpc = instance.get("DBSubnetGroup", {}).get("VpcId")
        yield Resource(
            resource_id=instance["DBInstanceArn"],
            resource_type="rds:db",
            resource_arn=instance["DBInstanceArn"],
            resource_name=instance["DBInstanceIdentifier"],
            tags=tags_of(instance.get("TagList")),
            attributes=attributes_of(
                instance_type=instance.get("DBInstanceClass"),
                engine=instance.get("Engine"),
                state=instance.get("DBInstanceStatus"),
                multi_az=instance.get("MultiAZ"),
                vpc_id=vpc,
                availability_zone=instance.get("AvailabilityZone"),
            ),
            relationships=(
                *related("member_of", cluster and place.arn("rds", f"cluster:{cluster}")),
                *related("runs_in", vpc),
            ),
            created_at=utc(instance.get("InstanceCreateTime")),
        )


RDS_INSTANCES = Service("rds:db", "rds", pages("describe_db_instances"), database_instances)
