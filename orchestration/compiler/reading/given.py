"""Read the example charge of a dimension test, with its signals.

The expected result is read by `dimensions`.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from orchestration.compiler.language import signal_columns as signals
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language.conditions import Operand, normalise_key
from orchestration.compiler.language.program import (
    DimensionTest,
    Expected,
    GivenAccount,
    GivenResource,
    Texts,
)
from orchestration.compiler.problems import Place, did_you_mean
from orchestration.compiler.reading.mappings import Reader, kind
from orchestration.compiler.reading.subjects import read_relationship
from orchestration.compiler.reading.syntax import Mapping, Node, Sequence
from orchestration.compiler.reading.values import read_typed

GIVEN_SUBJECTS = ("tag", "cost_category", "k8s", "account", "dimension", "resource", "related")
GIVEN_RESOURCE_KEYS = (*signals.RESOURCE_FIELDS, *signals.RESOURCE_MAPS, "related")


def read_given(reader: Reader, node: Node, expect: Expected, place: Place) -> DimensionTest | None:
    """Columns of the charge by their names, everything else by its subject."""
    if not isinstance(node, Mapping):
        example = "{tag: {app: search}, region_id: eu-west-1}"
        message = f'"given" is a mapping such as {example}; found {kind(node)}'
        reader.problem(node.place, "wrong-type", message)
        return None
    charge: dict[str, Operand] = {}
    for key, value in node.entries:
        if key.text in CHARGE_COLUMNS:
            operand = read_typed(reader, value, CHARGE_COLUMNS[key.text], f'"{key.text}"')
            charge |= {} if operand is None else {key.text: operand}
        elif key.text not in GIVEN_SUBJECTS:
            known = did_you_mean(key.text, (*CHARGE_COLUMNS, *GIVEN_SUBJECTS))
            reader.problem(key.place, "unknown-column", f'no column "{key.text}"{known}')
    labels = _pod(reader, node, charge)
    account = _account(reader, node, charge)
    resource = _own_resource(reader, node, charge)
    tags, categories = (_keyed_texts(reader, node, name) for name in ("tag", "cost_category"))
    elements = node.get("dimension")
    return DimensionTest(
        tuple(charge.items()),
        tags,
        categories,
        labels,
        () if elements is None else _texts(reader, elements, "dimension"),
        resource,
        account,
        expect,
        place,
    )


def _pod(reader: Reader, given: Mapping, charge: dict[str, Operand]) -> Texts:
    node = given.get("k8s")
    if node is None or not reader.mapping(
        node, '"k8s"', (*signals.KUBERNETES_FIELDS, *signals.KUBERNETES_MAPS)
    ):
        return ()
    _columns(reader, node, signals.KUBERNETES_FIELDS, charge)
    return _keyed_texts(reader, node, "label")


def _account(reader: Reader, given: Mapping, charge: dict[str, Operand]) -> GivenAccount | None:
    known = (*signals.BILLED_ACCOUNT_FIELDS, *signals.ACCOUNT_FIELDS, *signals.ACCOUNT_MAPS)
    node = given.get("account")
    if node is None or not reader.mapping(node, '"account"', known):
        return None
    _columns(reader, node, signals.BILLED_ACCOUNT_FIELDS, charge)
    columns = tuple(_fields(reader, node, signals.ACCOUNT_FIELDS))
    tags = _keyed_texts(reader, node, "tag")
    return GivenAccount(columns, tags) if columns or tags else None


def _own_resource(reader: Reader, given: Mapping, charge: dict[str, Operand]) -> GivenResource | None:
    """The charge's resource; its id is the charge's `resource_id`."""
    node, related = given.get("resource"), given.get("related")
    if node is None and related is None:
        return None
    own = GivenResource((), (), (), ()) if node is None else _resource(reader, node)
    if own is None:
        return None
    if node is not None:
        _columns(reader, node, {"id": "resource_id"}, charge)
    others = () if related is None else _related(reader, related)
    return GivenResource(own.columns, own.tags, own.attributes, (*own.related, *others))


def _resource(reader: Reader, node: Node) -> GivenResource | None:
    mapping = reader.mapping(node, "a resource", GIVEN_RESOURCE_KEYS)
    if mapping is None:
        return None
    related = mapping.get("related")
    return GivenResource(
        tuple(_fields(reader, mapping, signals.RESOURCE_FIELDS)),
        _keyed_texts(reader, mapping, "tag"),
        _keyed_texts(reader, mapping, "attribute"),
        () if related is None else _related(reader, related),
    )


def _related(reader: Reader, node: Node) -> tuple[tuple[str, GivenResource], ...]:
    """`{attached_to: {tag: {feature: Search}}}`; a list if there are several."""
    if not isinstance(node, Mapping):
        message = f'"related" is a mapping of relationships to resources; found {kind(node)}'
        reader.problem(node.place, "wrong-type", message)
        return ()
    found = []
    for key, value in node.entries:
        relationship = read_relationship(reader, key)
        several = reader.items(value, f'"{key.text}"') if isinstance(value, Sequence) else (value,)
        resources = [_resource(reader, item) for item in several]
        found += [(relationship, resource) for resource in resources if relationship and resource]
    return tuple(found)


def _columns(reader: Reader, node: Node, fields: MappingOf[str, str], charge: dict[str, Operand]) -> None:
    """Fields that are columns of the charge, added to those given by their own names."""
    for column, text in _fields(reader, node, fields):
        if charge.setdefault(column, text) != text:
            message = f'"{column}" is given twice, with different values; keep one'
            reader.problem(node.place, "conflicting-keys", message)


def _fields(reader: Reader, node: Node, fields: MappingOf[str, str]) -> Texts:
    entries = node.entries if isinstance(node, Mapping) else ()
    read = [
        (fields[key.text], reader.text(value, f'"{key.text}"'))
        for key, value in entries
        if key.text in fields
    ]
    return tuple((column, text) for column, text in read if text is not None)


def _keyed_texts(reader: Reader, node: Node, name: str) -> Texts:
    """Texts of a map under `name`, by normalized key."""
    texts = node.get(name) if isinstance(node, Mapping) else None
    if texts is None:
        return ()
    return tuple({normalise_key(key): text for key, text in _texts(reader, texts, name)}.items())


def _texts(reader: Reader, node: Node, what: str) -> Texts:
    if not isinstance(node, Mapping):
        reader.problem(
            node.place, "wrong-type", f'"{what}" is a mapping of names to texts; found {kind(node)}'
        )
        return ()
    pairs = [(key.text, reader.text(value, f'"{key.text}"')) for key, value in node.entries]
    return tuple((name, text) for name, text in pairs if text is not None)
