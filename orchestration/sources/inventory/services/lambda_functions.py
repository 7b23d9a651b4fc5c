"""Lambda functions, as `ListFunctions` answers, without tags: which VPC they run in."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.inventory.resource import Place, Resource, attributes_of, related
from orchestration.sources.inventory.services.service import Answer, Service, pages


def functions(answer: Answer, place: Place) -> Iterator[Resource]:  # noqa: ARG001 (the answer has ARNs)
    """The functions of one page."""
    for function in answer["Functions"]:
        network = function.get("VpcConfig") or {}
        yield Resource(
            resource_id=function["FunctionArn"],
            resource_type="lambda:function",
            resource_arn=function["FunctionArn"],
            resource_name=function["FunctionName"],
            attributes=attributes_of(
                runtime=function.get("Runtime"),
                memory_mib=function.get("MemorySize"),
                package_type=function.get("PackageType"),
                architecture=", ".join(function.get("Architectures", ())),
                vpc_id=network.get("VpcId"),
            ),
            relationships=related("runs_in", network.get("VpcId"), *network.get("SubnetIds", ())),
        )


LAMBDA_FUNCTIONS = Service("lambda:function", "lambda", pages("list_functions"), functions, needs_tags=True)
