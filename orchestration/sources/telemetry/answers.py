"""Requests and answers of the telemetry API, as its OpenAPI document describes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from orchestration.sources.telemetry.records import FIELDS, REQUIRED_FIELDS

Operation = Literal["sum", "replace", "delete"]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class RejectedRecord(BaseModel):
    """A record that is not stored, and why."""

    index: int = Field(description="Place in the request, from 0")
    reason: str = Field(description="A stable code")
    message: str


class Answer(BaseModel):
    """What became of the records."""

    accepted: int = Field(description="Records that are durably stored")
    rejected: list[RejectedRecord]


class Refusal(BaseModel):
    """Why nothing was read."""

    error: str = Field(description="What is wrong and what to do")


_REFUSALS = {
    400: "The body or a header cannot be read",
    401: "No token, or one that is not known",
    403: "The token is not for this stream",
    404: "No such address, or no such stream in the contexts",
    405: "No such method here",
    409: "The Idempotency-Key was used with another request",
    413: "The body is too large",
    415: "The body is of another type or packing",
    429: "Too many requests; wait as Retry-After says",
    503: "The batch cannot be stored now; send it again",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": text} for status, text in _REFUSALS.items()
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": Answer, "description": "The good records are durably stored"},
    422: {"model": Answer, "description": "No record is good; nothing is stored"},
    **REFUSALS,
}

_TEXTS = {"type": ["string", "number", "null"]}
_RECORD = {
    "type": "object",
    "description": "stream and operation may be left out: the address says them",
    "required": [name for name in REQUIRED_FIELDS if name != "stream"],
    "properties": dict.fromkeys(FIELDS, _TEXTS) | {"filter": {"type": ["object", "null"]}},
}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "description": "Content-Encoding: gzip is accepted",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["records"],
                "additionalProperties": False,
                "properties": {"records": {"type": "array", "items": _RECORD}},
            },
            "example": {
                "records": [{"timestamp": "2026-10-20T14:05:00Z", "customer_id": "cust-017", "value": 1250}]
            },
        },
        "application/x-ndjson": {"schema": {"type": "string"}},
    },
}
