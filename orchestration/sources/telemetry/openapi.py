"""The telemetry API's OpenAPI document."""

from __future__ import annotations

from typing import Any

from orchestration.sources.telemetry.records import FIELDS, REQUIRED_FIELDS

OPERATIONS = ("sum", "replace", "delete")
_ANSWER = {
    "type": "object",
    "required": ["accepted", "rejected"],
    "properties": {
        "accepted": {"type": "integer", "description": "Records that are durably stored"},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "reason", "message"],
                "properties": {
                    "index": {"type": "integer", "description": "Place in the request, from 0"},
                    "reason": {"type": "string", "description": "A stable code"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What is wrong and what to do"}},
}
_REFUSALS = {
    "400": "The body or a header cannot be read",
    "401": "No token, or one that is not known",
    "403": "The token is not for this stream",
    "404": "No such address",
    "405": "No such method here",
    "409": "The Idempotency-Key was used with another request",
    "413": "The body is too large",
    "415": "The body is of another type or packing",
    "429": "Too many requests; wait as Retry-After says",
    "503": "The batch cannot be stored now; send it again",
}


def openapi_document(version: str) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    texts = {"type": ["string", "number", "null"]}
    record = {
        "type": "object",
        "description": "stream and operation may be left out: the address says them",
        "required": [name for name in REQUIRED_FIELDS if name != "stream"],
        "properties": dict.fromkeys(FIELDS, texts) | {"filter": {"type": ["object", "null"]}},
    }
    answer = {"application/json": {"schema": _ANSWER}}
    responses: dict[str, Any] = {
        "202": {"description": "The good records are durably stored", "content": answer},
        "422": {"description": "No record is good; nothing is stored", "content": answer},
    }
    for status, description in _REFUSALS.items():
        responses[status] = {"description": description, "content": {"application/json": {"schema": _ERROR}}}
    path = "/v1/streams/{stream}/{operation}"
    send = {
        "summary": "Send usage records",
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "stream",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            },
            {
                "name": "operation",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "enum": list(OPERATIONS)},
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The same key and body again is stored once and answered the same",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            },
        ],
        "requestBody": {
            "required": True,
            "description": "Content-Encoding: gzip is accepted",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["records"],
                        "additionalProperties": False,
                        "properties": {"records": {"type": "array", "items": record}},
                    }
                },
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "responses": responses,
    }
    healthy = {"description": "The server is up"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cost per customer: telemetry", "version": version},
        "paths": {
            path: {"post": send},
            "/healthz": {"get": {"summary": "Is it up", "responses": {"200": healthy}}},
            "/metrics": {"get": {"summary": "Counts for Prometheus", "responses": {"200": healthy}}},
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
