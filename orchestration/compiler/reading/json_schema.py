"""JSON Schemas of the context files, for completion and validation in editors.

Built from the same key tuples that the readers use, so the two cannot diverge. They describe structure only;
names are checked by the compiler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestration.compiler.language import signal_columns as signals
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language.conditions import Operator
from orchestration.compiler.language.program import METHODS_BY_WORD, SPLIT_WINDOWS, WHEN_NO_USAGE
from orchestration.compiler.reading.allocation import ALLOCATION_KEYS, EVERYTHING, METHOD_KEYS
from orchestration.compiler.reading.conditions import COMBINATIONS, OPERATORS
from orchestration.compiler.reading.dimensions import DIMENSION_KEYS
from orchestration.compiler.reading.given import GIVEN_RESOURCE_KEYS
from orchestration.compiler.reading.program import FEEDBACK_KEYS, STREAM_KEYS, VERDICTS
from orchestration.compiler.reading.splits import BY, EVEN
from orchestration.compiler.reading.subjects import MAX_RELATED_PATH, RELATED_SUBJECTS, SUBJECTS
from orchestration.compiler.reading.usage_schema import usage_file_schema
from orchestration.compiler.reading.values import SIMPLE_TRANSFORMS

Schema = dict[str, Any]

_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}
_RELATIONSHIP: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"}
_DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_GRANULARITY: Schema = {"enum": ["hourly", "daily"]}
_KINDS = ("dimension", "streams", "allocation", "anomalies", "usage")
_FRACTION: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}


def context_json_schemas() -> dict[str, Schema]:
    """A JSON Schema (2020-12) per kind of context file: the names of `_KINDS`.

    One per kind, so editors offer only what the file can contain.
    """
    definitions = {
        **_subjects(),
        "subject": _subject(),
        "value": _value(),
        "condition": _condition(),
        "transforms": {"type": "array", "minItems": 1, "items": _transform()},
        "dimension_file": _dimension_file(),
        "dimension_rule": _dimension_rule(),
        "dimension_test": _dimension_test(),
        "given_resource": _given_resource(),
        "streams_file": _streams_file(),
        "allocation_file": _allocation_file(),
        "anomalies_file": _anomalies_file(),
        "usage_file": usage_file_schema(),
        "allocation_rule": _allocation_rule(),
    }
    return {name: _schema(name, definitions) for name in _KINDS}


def _schema(name: str, definitions: Mapping[str, Schema]) -> Schema:
    used = _used(f"{name}_file", definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Context file: {name}",
        **_ref(f"{name}_file"),
        "$defs": {part: schema for part, schema in definitions.items() if part in used},
    }


def _used(
    name: str, definitions: Mapping[str, Schema], found: frozenset[str] = frozenset()
) -> frozenset[str]:
    """A definition and everything it refers to."""
    found |= {name}
    for part in definitions:
        if part not in found and f'"{_ref(part)["$ref"]}"' in json.dumps(definitions[name]):
            found = _used(part, definitions, found)
    return found


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _one_of_keys(names: tuple[str, ...]) -> list[Schema]:
    return [{"required": [name]} for name in names]


def _subjects() -> dict[str, Schema]:
    """What each subject takes."""
    path = {"type": "array", "items": _RELATIONSHIP, "minItems": 1, "maxItems": MAX_RELATED_PATH}
    account_fields = {**signals.BILLED_ACCOUNT_FIELDS, **signals.ACCOUNT_FIELDS}
    known: dict[str, Schema] = {
        "charge": {"enum": sorted(CHARGE_COLUMNS), "description": "A column of the charge"},
        "tag": {**_TEXT, "description": "A tag, however its key is spelled"},
        "cost_category": {**_TEXT, "description": "An AWS cost category"},
        "k8s": _field(signals.KUBERNETES_FIELDS, signals.KUBERNETES_MAPS, "Where a pod ran"),
        "account": _field(account_fields, signals.ACCOUNT_MAPS, "The account that used it"),
        "dimension": {**_NAME, "description": "What another dimension made of the charge"},
        "resource": _field(
            signals.RESOURCE_FIELDS, signals.RESOURCE_MAPS, "What the inventory knows of the resource"
        ),
        "related": {
            "anyOf": [_RELATIONSHIP, path],
            "description": "The relationship to follow, or several; beside it, what is looked at over there",
        },
    }
    return {f"{name}_subject": known[name] for name in SUBJECTS}


def _subject_properties() -> Schema:
    return {name: _ref(f"{name}_subject") for name in SUBJECTS}


def _field(fields: Mapping[str, str], maps: Mapping[str, str], description: str) -> Schema:
    """One of the fields, or a map and the key in it."""
    keyed = {"type": "string", "pattern": f"^({'|'.join(sorted(maps))}) .+$"}
    return {"anyOf": [{"enum": sorted(fields)}, keyed], "description": description}


def _subject() -> Schema:
    return {**_object(_subject_properties()), **_exactly_one_subject()}


def _exactly_one_subject() -> Schema:
    others = [name for name in SUBJECTS if name not in {"related", *RELATED_SUBJECTS}]
    alone: list[Schema] = [
        {"required": [name], "not": {"anyOf": _one_of_keys(("related",))}} for name in RELATED_SUBJECTS
    ]
    related: list[Schema] = [{"required": ["related", name]} for name in RELATED_SUBJECTS]
    return {"oneOf": [*_one_of_keys(tuple(others)), *alone, *related]}


def _value() -> Schema:
    first_of = {"first_of": {"type": "array", "minItems": 1, "items": _ref("subject")}}
    either = [_exactly_one_subject(), *_one_of_keys(("first_of",))]
    return {**_object({**_subject_properties(), **first_of}), "oneOf": either}


def _condition() -> Schema:
    lists = {Operator.IN, Operator.NOT_IN}
    operators: Schema = {operator.value: _TEXTS if operator in lists else _TEXT for operator in Operator}
    operators[Operator.EXISTS.value] = {"type": "boolean"}
    operators[Operator.BETWEEN.value] = {**_TEXTS, "minItems": 2, "maxItems": 2}
    conditions: Schema = {"type": "array", "minItems": 1, "items": _ref("condition")}
    combined = {"all": conditions, "any": conditions, "not": _ref("condition")}
    comparison = _object({**_subject_properties(), **operators, "ignore_case": {"type": "boolean"}})
    comparison["allOf"] = [_exactly_one_subject(), {"oneOf": _one_of_keys(OPERATORS)}]
    return {"oneOf": [*(_object({name: combined[name]}, (name,)) for name in COMBINATIONS), comparison]}


def _transform() -> Schema:
    split = _object({"on": _TEXT, "take": {"type": "integer"}}, ("on", "take"))
    replace = _object({"pattern": _TEXT, "with": _TEXT}, ("pattern", "with"))
    mapping = {"type": "object", "additionalProperties": _TEXT, "minProperties": 1}
    with_arguments = {"split": split, "replace": replace, "map": mapping, "default": _TEXT}
    return {
        "oneOf": [
            {"enum": sorted(SIMPLE_TRANSFORMS)},
            *(_object({name: schema}, (name,)) for name, schema in with_arguments.items()),
        ]
    }


def _dimension_file() -> Schema:
    properties: Schema = {
        "dimension": _NAME,
        "description": _TEXT,
        "default": {**_TEXT, "description": "Element of what no rule matches; without it that is unmatched"},
        "rules": {"type": ["array", "null"], "items": _ref("dimension_rule")},
        "tests": {"type": "array", "items": _ref("dimension_test")},
    }
    return _object({name: properties[name] for name in DIMENSION_KEYS}, ("dimension",))


def _dimension_rule() -> Schema:
    valid = {**_object({"from": _DAY, "until": _DAY}), "minProperties": 1}
    when: Schema = {"when": _ref("condition"), "valid": valid}
    named = _object({"element": _TEXT, **when}, ("element",))
    valued = _object({"from": _ref("value"), "transform": _ref("transforms"), **when}, ("from",))
    shares = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"not": {"const": BY}},
        "additionalProperties": _FRACTION,
        "description": "Fixed shares; they sum to exactly 1",
    }
    by_usage: Schema = {
        "split": _object({BY: {**_NAME, "description": "The stream whose usage decides"}}, (BY,)),
        "elements": {**_TEXTS, "description": "Only these elements get a part"},
        "when_no_usage": {"type": "array", "minItems": 1, "items": {"enum": list(SPLIT_WINDOWS)}},
    }
    fixed = _object({"split": shares, **when}, ("split",))
    even = _object({"split": {"const": EVEN}, "elements": _TEXTS, **when}, ("split", "elements"))
    return {"oneOf": [named, valued, fixed, even, _object({**by_usage, **when}, ("split",))]}


def _dimension_test() -> Schema:
    texts = {"type": "object", "additionalProperties": _TEXT}
    given: Schema = dict.fromkeys(CHARGE_COLUMNS, _TEXT)
    given |= {"tag": texts, "cost_category": texts, "dimension": texts}
    given["k8s"] = _given_fields(signals.KUBERNETES_FIELDS, signals.KUBERNETES_MAPS)
    given["account"] = _given_fields(
        {**signals.BILLED_ACCOUNT_FIELDS, **signals.ACCOUNT_FIELDS}, signals.ACCOUNT_MAPS
    )
    given["resource"] = _ref("given_resource")
    given["related"] = _given_related()
    shares = {"type": "object", "minProperties": 1, "additionalProperties": _FRACTION}
    expect = {
        "oneOf": [{"type": [*_TEXT["type"], "null"]}, shares],
        "description": "The element, null for unmatched, or the shares of a split",
    }
    return _object({"given": _object(given), "expect": expect}, ("given", "expect"))


def _given_fields(fields: Mapping[str, str], maps: Mapping[str, str]) -> Schema:
    texts = {"type": "object", "additionalProperties": _TEXT}
    return _object({**dict.fromkeys(fields, _TEXT), **dict.fromkeys(maps, texts)})


def _given_related() -> Schema:
    one = _ref("given_resource")
    several = {"type": "array", "minItems": 1, "items": one}
    return {
        "type": "object",
        "propertyNames": _RELATIONSHIP,
        "additionalProperties": {"oneOf": [one, several]},
    }


def _given_resource() -> Schema:
    schema = _given_fields(signals.RESOURCE_FIELDS, signals.RESOURCE_MAPS)
    schema["properties"]["related"] = _given_related()
    return {**schema, "properties": {name: schema["properties"][name] for name in GIVEN_RESOURCE_KEYS}}


def _streams_file() -> Schema:
    properties: Schema = {"unit": _TEXT, "granularity": _GRANULARITY, "description": _TEXT}
    stream = {**_object({name: properties[name] for name in STREAM_KEYS}), "type": ["object", "null"]}
    streams = {"type": ["object", "null"], "propertyNames": _NAME, "additionalProperties": stream}
    return _object({"streams": streams}, ("streams",))


def _allocation_file() -> Schema:
    any_of = {"type": "array", "minItems": 1, "items": _ref("condition")}
    properties: Schema = {
        "allocate_to": {"enum": ["customer"]},
        "cost_of_goods_sold": {"oneOf": [{"enum": [EVERYTHING]}, _ref("condition"), any_of]},
        "rules": {"type": ["array", "null"], "items": _ref("allocation_rule")},
    }
    return _object({name: properties[name] for name in ALLOCATION_KEYS})


def _anomalies_file() -> Schema:
    anomaly = _object(
        {"anomaly": _TEXT, "verdict": {"enum": list(VERDICTS)}, "note": _TEXT}, FEEDBACK_KEYS[:2]
    )
    return _object({"anomalies": {"type": "array", "minItems": 1, "items": anomaly}}, ("anomalies",))


def _allocation_rule() -> Schema:
    weighted = _object({"stream": _NAME, "weight": _FRACTION}, ("stream",))
    streams = {"type": "array", "minItems": 1, "items": {"oneOf": [_NAME, weighted]}}
    words = ", ".join(METHODS_BY_WORD)
    methods: Schema = {
        "to": _ref("value"),
        "by": {"oneOf": [_NAME, streams], "description": f"{words}, or a stream"},
        "shares": {"type": "object", "minProperties": 1, "additionalProperties": _FRACTION},
        "none": {"const": True},
    }
    properties: Schema = {
        "name": _NAME,
        "when": _ref("condition"),
        "granularity": _GRANULARITY,
        "when_no_usage": {"type": "array", "minItems": 1, "items": {"enum": list(WHEN_NO_USAGE)}},
    }
    minimum_share = {**_FRACTION, "description": "Customers below it are the long tail together"}
    return {
        "oneOf": [
            _object(
                {
                    **properties,
                    name: methods[name],
                    **({"transform": _ref("transforms")} if name == "to" else {}),
                    **({"minimum_share": minimum_share} if name in ("by", "shares") else {}),
                },
                (name,),
            )
            for name in METHOD_KEYS
        ]
    }
