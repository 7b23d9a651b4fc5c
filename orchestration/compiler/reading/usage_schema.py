"""The part of the JSON Schemas that describes `usage.yml`."""

from __future__ import annotations

from typing import Any

from orchestration.compiler.language.pulls import PULL_SOURCES, STATISTICS, PullSource
from orchestration.compiler.reading.pulls import LISTS, OPTIONAL_PULL_KEYS, OTLP_KEYS, REQUIRED_PULL_KEYS

_TEXT: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT, "minItems": 1}
_FILTER = {"type": "object", "additionalProperties": {"oneOf": [_TEXT, _TEXTS]}}
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}


def usage_file_schema() -> dict[str, Any]:
    """A list of pulls, each with the keys of its source."""
    pulls = [_pull(name, source) for name, source in PULL_SOURCES.items()]
    received = {
        **dict.fromkeys(OTLP_KEYS, _TEXT),
        "stream": _NAME,
        "where": {"type": "object", "additionalProperties": _TEXT},
        "filter": _FILTER,
        "filter_from": {"type": "object", "additionalProperties": _TEXT},
    }
    either = [{"required": ["metric"]}, {"required": ["span"]}]
    otlp = {**_object(received, ("stream", "customer")), "oneOf": either}
    lists = {"pulls": {"oneOf": pulls}, "otlp": otlp}
    return _object(
        {name: {"type": "array", "minItems": 1, "items": item} for name, item in lists.items()}, ()
    )


def _pull(name: str, source: PullSource) -> dict[str, Any]:
    keys = (*REQUIRED_PULL_KEYS, *OPTIONAL_PULL_KEYS, *source.required, *source.optional)
    properties: dict[str, Any] = dict.fromkeys(keys, _TEXT) | {
        "name": _NAME,
        "source": {"const": name},
        "stream": _NAME,
        "since": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "late_days": {"type": "integer", "minimum": 0, "maximum": 31},
        "filter": _FILTER,
    }
    choices = {"customer": source.customers, "value": source.values, "statistic": STATISTICS}
    properties |= {key: {"enum": list(known)} for key, known in choices.items() if known and key in keys}
    properties |= {key: _TEXTS for key in LISTS if key in keys}
    return _object(properties, (*REQUIRED_PULL_KEYS, *source.required))


def _object(properties: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": list(required),
    }
