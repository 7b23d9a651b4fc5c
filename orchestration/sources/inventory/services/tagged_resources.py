"""Everything that has or had a tag, from the Resource Groups Tagging API.

It returns ARN and tags for more than a hundred services, but nothing that was never tagged.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, tags_of
from orchestration.sources.inventory.services.service import Answer, Service, pages


def tagged_resources(answer: Answer, place: Place) -> Iterator[Resource]:  # noqa: ARG001 (ARNs say it)
    """The resources of one page."""
    for tagged in answer["ResourceTagMappingList"]:
        arn = tagged["ResourceARN"]
        resource_type, resource_id = type_and_id(arn)
        tags = tags_of(tagged.get("Tags"))
        yield Resource(
            resource_id=resource_id,
            resource_type=resource_type,
            resource_arn=arn,
            resource_name=tags.get("Name"),
            tags=tags,
        )


def type_and_id(arn: str) -> tuple[str, str]:
    """What an ARN says the resource is, and how bills name it.

    `arn:aws:ec2:eu-west-1:1:volume/vol-1` is an `ec2:volume`, on bills `vol-1`; buckets are named by their
    name; nearly everything else is named by its ARN.
    """
    _, _, service, _, _, rest = arn.split(":", 5)
    if service == "s3":
        return "s3:bucket", rest
    kind, mark, name = rest.partition("/") if "/" in rest.partition(":")[0] else rest.partition(":")
    resource_type = f"{service}:{kind}" if mark else service
    if service == "ec2":
        return resource_type, name
    return resource_type, arn.removesuffix(":*")


TAGGED_RESOURCES = Service("tagged", "resourcegroupstaggingapi", pages("get_resources"), tagged_resources)
