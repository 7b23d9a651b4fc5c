"""The JSON Schema of the context files, for completion and checks while typing in an editor."""

from __future__ import annotations

from typing import Any


def context_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a context file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"}
