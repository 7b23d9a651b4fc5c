"""Sessions and errors of AWS APIs."""

from __future__ import annotations

from typing import Any, TypeAlias

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orchestration.settings import AwsAccess

# boto3 creates its classes at run time, so there is no type to import.
Session: TypeAlias = Any

AWS_ERRORS = (ClientError, BotoCoreError, Boto3Error)
_REFUSALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedException",
        "Client.UnauthorizedOperation",
        "AuthFailure",
    }
)
# IAM's names of services that boto3 names differently.
_IAM_PREFIXES = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
}
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=10, read_timeout=60)


class AwsAccessError(Exception):
    """An account cannot be accessed at all; the message says which, why and what to do."""


def open_session(access: AwsAccess, endpoint_url: str | None, region: str) -> Session:
    """A session with the role of `access`, or with the current credentials. Raises `AwsAccessError`."""
    if access.role_arn is None:
        return boto3.Session()
    role = {"RoleArn": access.role_arn, "RoleSessionName": "cost-per-customer"}
    if access.external_id:
        role["ExternalId"] = access.external_id
    try:
        answer = client(boto3.Session(), "sts", endpoint_url, region).assume_role(**role)
    except AWS_ERRORS as error:
        raise AwsAccessError(
            f"{access.role_arn} cannot be assumed: {error}; allow sts:AssumeRole on it, and let its trust "
            "policy name who runs this"
        ) from error
    credentials = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def account_of(session: Session, endpoint_url: str | None, region: str) -> tuple[str, str]:
    """Partition and account of a session. Raises `AwsAccessError`."""
    try:
        identity = client(session, "sts", endpoint_url, region).get_caller_identity()
    except AWS_ERRORS as error:
        raise AwsAccessError(f"AWS does not say who is asking: {error}; check the credentials") from error
    return identity["Arn"].split(":")[1], identity["Account"]


def client(session: Session, service: str, endpoint_url: str | None, region: str) -> Any:
    """A client that retries when AWS is throttling."""
    return session.client(service, region_name=region, endpoint_url=endpoint_url, config=_CONFIG)


def what_failed(error: Exception, service: str) -> str:
    """Why a call failed, as a sentence; if denied, with the missing permission."""
    if not isinstance(error, ClientError):
        return f"{service} cannot be asked: {error}"
    code = error.response.get("Error", {}).get("Code", "")
    operation = error.operation_name
    if code in _REFUSALS:
        return f"{operation} was denied ({code}); allow {permission(service, operation)}"
    return f"{operation} failed: {error}"


def permission(service: str, operation: str) -> str:
    """The IAM action required by an operation of a boto3 client."""
    return f"{_IAM_PREFIXES.get(service, service)}:{operation}"
