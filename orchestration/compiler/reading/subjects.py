"""Read subjects: what a condition or value refers to.

`check`, which knows the whole program, verifies that dimensions exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf

from orchestration.compiler.language import signal_columns as signals
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language.conditions import (
    AccountFact,
    ChargeColumn,
    ColumnType,
    CostCategory,
    DimensionElement,
    KubernetesLabel,
    ResourceFact,
    Subject,
    Tag,
    normalise_key,
)
from orchestration.compiler.problems import did_you_mean
from orchestration.compiler.reading.mappings import Reader
from orchestration.compiler.reading.syntax import Mapping, Node, Sequence

SUBJECTS = ("charge", "tag", "cost_category", "k8s", "account", "dimension", "resource", "related")
RELATED_SUBJECTS = ("tag", "resource")
MAX_RELATED_PATH = 8

_RELATIONSHIP = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def read_subject(reader: Reader, node: Mapping, what: str) -> Subject | None:
    """The key of the mapping that names the subject; for `related`, with its second key."""
    given = [(key, value) for key, value in node.entries if key.text in SUBJECTS]
    if not given:
        reader.problem(node.place, "missing-key", f"{what} needs a subject: {', '.join(SUBJECTS)}")
        return None
    path: tuple[str, ...] = ()
    related = next((entry for entry in given if entry[0].text == "related"), None)
    if related is not None:
        given = [entry for entry in given if entry is not related]
        read = _path(reader, related[1])
        wrong = [key for key, _ in given if key.text not in RELATED_SUBJECTS]
        if wrong or not given:
            code, place = ("conflicting-keys", wrong[0].place) if wrong else ("missing-key", node.place)
            message = '"related" has "tag" or "resource" beside it: what is looked at over there'
            reader.problem(place, code, message)
            return None
        if read is None:
            return None
        path = read
    if len(given) > 1:
        message = f'"{given[0][0].text}" and "{given[1][0].text}" are both given; a condition has one subject'
        reader.problem(given[1][0].place, "conflicting-keys", message)
        return None
    key, value = given[0]
    text = reader.text(value, f'"{key.text}"')
    if text is None:
        return None
    if path and key.text == "tag":
        tag = _key(reader, value, text)
        return None if tag is None else ResourceFact(path, signals.RESOURCE_MAPS["tag"], tag)
    return _named_subject(reader, key.text, text, value, path)


def type_of(subject: Subject) -> ColumnType:
    """Type of a subject's values."""
    return subject.type if isinstance(subject, ChargeColumn) else "text"


def _path(reader: Reader, node: Node) -> tuple[str, ...] | None:
    """The relationships to follow, in order."""
    nodes = reader.items(node, '"related"') if isinstance(node, Sequence) else (node,)
    if len(nodes) > MAX_RELATED_PATH:
        message = f"a path of {len(nodes)} relationships; at most {MAX_RELATED_PATH} are followed"
        reader.problem(node.place, "too-large", message)
        return None
    read = [read_relationship(reader, item) for item in nodes]
    path = tuple(name for name in read if name is not None)
    return path if path and len(path) == len(read) else None


def read_relationship(reader: Reader, node: Node) -> str | None:
    """The name of a relationship between resources, such as `attached_to`."""
    text = reader.text(node, "a relationship")
    if text is not None and (len(text) > 63 or not _RELATIONSHIP.fullmatch(text)):
        message = f'"{text}" cannot name a relationship: lower-case words with "_", as in attached_to'
        reader.problem(node.place, "bad-name", message)
        return None
    return text


def _named_subject(reader: Reader, kind: str, text: str, node: Node, path: tuple[str, ...]) -> Subject | None:
    if kind == "charge":
        if text in CHARGE_COLUMNS:
            return ChargeColumn(text, CHARGE_COLUMNS[text])
        known = did_you_mean(text, CHARGE_COLUMNS)
        reader.problem(node.place, "unknown-column", f'no column "{text}"{known}')
        return None
    if kind in {"tag", "cost_category"}:
        spelled = _key(reader, node, text)
        if spelled is None:
            return None
        return Tag(spelled) if kind == "tag" else CostCategory(spelled)
    if kind == "dimension":
        return DimensionElement(text)
    if kind == "k8s":
        found = _field(reader, node, kind, text, signals.KUBERNETES_FIELDS, signals.KUBERNETES_MAPS)
    elif kind == "account":
        fields = {**signals.BILLED_ACCOUNT_FIELDS, **signals.ACCOUNT_FIELDS, "name": signals.ACCOUNT_NAME}
        found = _field(reader, node, kind, text, fields, signals.ACCOUNT_MAPS)
    else:
        found = _field(reader, node, kind, text, signals.RESOURCE_FIELDS, signals.RESOURCE_MAPS)
    if found is None:
        return None
    column, key = found
    if kind == "resource":
        return ResourceFact(path, column, key)
    if column in CHARGE_COLUMNS:
        return ChargeColumn(column, "text")
    return KubernetesLabel(key) if kind == "k8s" and key else AccountFact(column, key)


def _field(
    reader: Reader, node: Node, kind: str, text: str, fields: MappingOf[str, str], maps: MappingOf[str, str]
) -> tuple[str, str | None] | None:
    """A field such as `type`, or a map with a key such as `tag feature`: its column, and the key."""
    name, _, key = text.partition(" ")
    if name in maps and not key.strip():
        message = f'"{kind}: {name}" needs a key behind it, such as "{kind}: {name} app"'
        reader.problem(node.place, "missing-key", message)
        return None
    if name in maps:
        normalised = _key(reader, node, key)
        return None if normalised is None else (maps[name], normalised)
    if text in fields:
        return fields[text], None
    known = [*fields, *(f"{one} KEY" for one in maps)]
    message = f'"{kind}" has no field "{text}"{did_you_mean(text, known)}'
    reader.problem(node.place, "unknown-field", message)
    return None


def _key(reader: Reader, node: Node, text: str) -> str | None:
    """Normalized key of a tag, label or cost category."""
    normalised = normalise_key(text)
    if not normalised:
        message = f'the key "{text}" has no letter a-z or digit; nothing can carry it'
        reader.problem(node.place, "bad-key", message)
        return None
    return normalised
