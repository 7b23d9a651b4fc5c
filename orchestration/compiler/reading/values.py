"""Nodes to values: what an element or a customer is named after, and the transforms of it."""

from __future__ import annotations

from orchestration.compiler.language.conditions import (
    ColumnType,
    Default,
    Lower,
    MapValues,
    Operand,
    Replace,
    Slug,
    Split,
    Subject,
    Title,
    Transform,
    Trim,
    Upper,
    Value,
)
from orchestration.compiler.problems import did_you_mean
from orchestration.compiler.reading.mappings import Reader, kind
from orchestration.compiler.reading.patterns import pattern_problem, replacement_problem
from orchestration.compiler.reading.subjects import SUBJECTS, read_subject, type_of
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar, Sequence

MAX_TRANSFORMS = 50
MAX_FIRST_OF = 100
SIMPLE_TRANSFORMS: dict[str, Transform] = {
    "lower": Lower(),
    "upper": Upper(),
    "title": Title(),
    "trim": Trim(),
    "slug": Slug(),
}
TRANSFORMS = (*SIMPLE_TRANSFORMS, "split", "replace", "map", "default")


def read_typed(reader: Reader, node: Node, column_type: ColumnType, what: str) -> Operand | None:
    """A value of the type that a column holds."""
    if column_type == "text":
        return reader.text(node, what)
    if column_type == "decimal":
        return reader.decimal(node, what)
    if column_type == "integer":
        return reader.whole(node, what)
    return reader.day(node, what) if column_type == "date" else reader.day_or_moment(node, what)


def read_pattern(reader: Reader, node: Node, what: str) -> str | None:
    """A regular expression that RE2 takes."""
    text = reader.text(node, what)
    wrong = None if text is None else pattern_problem(text)
    if wrong:
        message = f"{what} is not a valid RE2 pattern: {wrong}; RE2 has no lookaround and no backreferences"
        reader.problem(node.place, "bad-regex", message)
        return None
    return text


def read_value(reader: Reader, node: Node, transform: Node | None, what: str) -> Value | None:
    """A subject, or `first_of` several, with the transforms of `transform` in order."""
    transforms = () if transform is None else _transforms(reader, transform)
    if not isinstance(node, Mapping):
        reader.problem(
            node.place, "wrong-type", f"{what} is a mapping such as {{tag: app}}; found {kind(node)}"
        )
        return None
    if not reader.mapping(node, what, (*SUBJECTS, "first_of")):
        return None
    first_of = node.get("first_of")
    if first_of is None:
        subjects = [_text_subject(reader, node, what)]
    elif len(node.entries) > 1:
        reader.problem(
            node.place, "conflicting-keys", '"first_of" has to be the only key; list every subject in it'
        )
        return None
    else:
        subjects = []
        if isinstance(first_of, Sequence) and len(first_of.items) > MAX_FIRST_OF:
            message = f"{len(first_of.items)} subjects; at most {MAX_FIRST_OF} are compiled"
            reader.problem(first_of.place, "too-large", message)
            return None
        for item in reader.items(first_of, '"first_of"'):
            part = reader.mapping(item, 'a value of "first_of"', SUBJECTS)
            subjects.append(None if part is None else _text_subject(reader, part, 'a value of "first_of"'))
    read = tuple(subject for subject in subjects if subject is not None)
    if not read or len(read) < len(subjects) or transforms is None:
        return None
    return Value(read, transforms, node.place)


def _text_subject(reader: Reader, node: Mapping, what: str) -> Subject | None:
    subject = read_subject(reader, node, what)
    if subject is not None and type_of(subject) != "text":
        message = f"{what} has to be a text; a {type_of(subject)} names no element and no customer"
        reader.problem(node.place, "operator-type", message)
        return None
    return subject


def _transforms(reader: Reader, node: Node) -> tuple[Transform, ...] | None:
    """The list under `transform`."""
    items = reader.items(node, '"transform"')
    if len(items) > MAX_TRANSFORMS:
        message = f"{len(items)} transforms; at most {MAX_TRANSFORMS} are compiled"
        reader.problem(node.place, "too-large", message)
        return None
    read = [_transform(reader, item) for item in items]
    done = tuple(item for item in read if item is not None)
    return done if done and len(done) == len(read) else None


def _transform(reader: Reader, node: Node) -> Transform | None:
    if isinstance(node, Scalar) and node.text in SIMPLE_TRANSFORMS:
        return SIMPLE_TRANSFORMS[node.text]
    if isinstance(node, Scalar):
        hint = "write it with what it needs, for example {default: none}"
        hint = hint if node.text in TRANSFORMS else did_you_mean(node.text, TRANSFORMS).removeprefix("; ")
        reader.problem(node.place, "unknown-choice", f"{kind(node)} is not a complete transform; {hint}")
        return None
    if not reader.mapping(node, "a transform", TRANSFORMS) or not isinstance(node, Mapping):
        return None
    if len(node.entries) != 1:
        reader.problem(node.place, "conflicting-keys", "a transform has one key; make a list of several")
        return None
    key, value = node.entries[0]
    if key.text == "split":
        return _split(reader, value)
    if key.text == "replace":
        return _replace(reader, value)
    if key.text == "map":
        return _map(reader, value)
    if key.text == "default":
        text = reader.text(value, '"default"')
        return None if text is None else Default(text)
    if key.text in SIMPLE_TRANSFORMS:
        reader.problem(key.place, "wrong-type", f'"{key.text}" takes nothing; write it without the colon')
    return None


def _split(reader: Reader, node: Node) -> Transform | None:
    mapping = reader.mapping(node, '"split"', ("on", "take"), required=("on", "take"))
    on_node, take_node = (mapping.get("on"), mapping.get("take")) if mapping else (None, None)
    on = reader.text(on_node, '"on"') if on_node else None
    take = reader.whole(take_node, '"take"') if take_node else None
    if on is None or take is None or take_node is None:
        return None
    if not 1 <= abs(take) <= 1000:
        message = '"take" counts from 1 for the first part, or from -1 for the last, up to 1000'
        reader.problem(take_node.place, "bad-number", message)
        return None
    return Split(on, take)


def _replace(reader: Reader, node: Node) -> Transform | None:
    mapping = reader.mapping(node, '"replace"', ("pattern", "with"), required=("pattern", "with"))
    pattern_node, with_node = (mapping.get("pattern"), mapping.get("with")) if mapping else (None, None)
    pattern = read_pattern(reader, pattern_node, '"pattern"') if pattern_node else None
    replacement = reader.any_text(with_node, '"with"') if with_node else None
    if pattern is None or replacement is None or with_node is None:
        return None
    wrong = replacement_problem(pattern, replacement)
    if wrong:
        hint = "\\1 is the first group, \\\\ a backslash"
        message = f'"with" is not a valid replacement for the pattern: {wrong}; {hint}'
        reader.problem(with_node.place, "bad-replacement", message)
        return None
    return Replace(pattern, replacement)


def _map(reader: Reader, node: Node) -> Transform | None:
    if not isinstance(node, Mapping) or not node.entries:
        reader.problem(
            node.place, "wrong-type", f'"map" is a mapping of old to new texts; found {kind(node)}'
        )
        return None
    entries = [(key.text, reader.text(value, f'"{key.text}"')) for key, value in node.entries]
    read = tuple((old, new) for old, new in entries if new is not None)
    return MapValues(read) if len(read) == len(entries) else None
