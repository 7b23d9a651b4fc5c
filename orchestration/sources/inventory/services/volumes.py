"""EBS volumes, as `DescribeVolumes` answers: which instance they are attached to."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related, tags_of, utc
from orchestration.sources.inventory.services.service import Answer, Service, pages


def volumes(answer: Answer, place: Place) -> Iterator[Resource]:
    """The volumes of one page."""
    for volume in answer["Volumes"]:
        tags = tags_of(volume.get("Tags"))
        yield Resource(
            resource_id=volume["VolumeId"],
            resource_type="ec2:volume",
            resource_arn=place.arn("ec2", f"volume/{volume['VolumeId']}"),
            resource_name=tags.get("Name"),
            tags=tags,
            attributes=attributes_of(
                volume_type=volume.get("VolumeType"),
                size_gib=volume.get("Size"),
                state=volume.get("State"),
                availability_zone=volume.get("AvailabilityZone"),
                snapshot_id=volume.get("SnapshotId"),
            ),
            relationships=tuple(
                relationship
                for attachment in volume.get("Attachments", ())
                for relationship in related(
                    "attached_to", attachment.get("InstanceId"), since=attachment.get("AttachTime")
                )
            ),
            created_at=utc(volume.get("CreateTime")),
        )


VOLUMES = Service("ec2:volume", "ec2", pages("describe_volumes"), volumes)
