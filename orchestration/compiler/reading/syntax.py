"""YAML text to nodes with line and column.

Values stay text as written (`yes`, `011254002932` and `2026-07-01` are not guessed into booleans, octal
numbers or dates): the reader of a node knows the intended type.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import yaml

from orchestration.compiler.problems import Place, Problems

MAX_FILE_CHARACTERS = 16_000_000
MAX_TEXT_CHARACTERS = 65_536
MAX_NODES = 500_000
MAX_DEPTH = 40
MAX_JINJA_MARKS = 100  # per file

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_JINJA_MARK = re.compile(r"\{[{%#]")
_FORBIDDEN_CHARACTER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Scalar:
    """A single value as text. `plain` if it was not quoted."""

    place: Place
    text: str
    plain: bool

    @property
    def is_nothing(self) -> bool:
        """Whether YAML reads this as null."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True)
class Sequence:
    """A list; `place` is its start."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Mapping:
    """Keys with their values, in file order; spans `file_text` from `start` to `end`."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...]
    file_text: str = field(repr=False)
    start: int
    end: int

    @property
    def source(self) -> str:
        """Its YAML text, without indentation and following comments."""
        first, *others = self.file_text[self.start : self.end].rstrip().split("\n")
        while others and (not others[-1].strip() or others[-1].lstrip().startswith("#")):
            others.pop()
        indentation = self.place.column - 1
        shifted = [line[min(indentation, len(line) - len(line.lstrip(" "))) :] for line in others]
        return "\n".join([first, *shifted]).rstrip()

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None if absent."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Sequence | Mapping


def is_empty(node: Node) -> bool:
    """Whether there is nothing: no value, an empty list or an empty mapping."""
    if isinstance(node, Scalar):
        return node.is_nothing
    return not (node.items if isinstance(node, Sequence) else node.entries)


class _StopReadingError(Exception):
    """Raised after a problem that makes the rest of the file unreadable."""


def is_plain(text: str) -> bool:
    """Whether text may appear in generated files: no template marks, no control characters."""
    return not _JINJA_MARK.search(text) and not _FORBIDDEN_CHARACTER.search(text) and "\n" not in text


def parse_yaml(path: str, text: str, problems: Problems) -> Node | None:
    """Nodes of one YAML file; None if it is empty or broken, which is reported as a problem."""
    start = Place(path, 1, 1)
    if len(text) > MAX_FILE_CHARACTERS:
        problems.add(start, "too-large", f"{len(text)} characters; at most {MAX_FILE_CHARACTERS} are read")
        return None
    if text.startswith("\ufeff"):
        text = text[1:]
    text = text.replace("\r\n", "\n")
    if not _characters_are_fine(path, text, problems):
        return None
    reader = _Events(path, text, problems)
    try:
        return reader.document()
    except _StopReadingError:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else start
        what = ", ".join(part for part in (error.context, error.problem) if part)
        problems.add(place, "yaml-syntax", f"{what}; check the indentation, quotes and brackets near here")
        return None


def _characters_are_fine(path: str, text: str, problems: Problems) -> bool:
    bad = _FORBIDDEN_CHARACTER.search(text)
    if bad:
        message = f"character U+{ord(bad.group()):04X} is not allowed here; remove it"
        problems.add(_place_at(path, text, bad.start()), "control-character", message)
    marks = list(islice(_JINJA_MARK.finditer(text), MAX_JINJA_MARKS))
    for mark in marks:
        _report_jinja(_place_at(path, text, mark.start()), mark.group(), problems)
    return not bad and not marks


def _report_jinja(place: Place, mark: str, problems: Problems) -> None:
    problems.add(
        place, "jinja-mark", f'"{mark}" begins a template; contexts are plain data, write the value itself'
    )


def _place_at(path: str, text: str, offset: int) -> Place:
    line_start = text.rfind("\n", 0, offset) + 1
    return Place(path, text.count("\n", 0, offset) + 1, offset - line_start + 1)


class _Events:
    """Builds nodes from YAML events, rejecting what contexts may not contain."""

    def __init__(self, path: str, text: str, problems: Problems) -> None:
        self.path = path
        self.text = text
        self.problems = problems
        self.count = 0
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Node | None:
        node: Node | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "only one document per file is read; move the rest to a file of its own"
                    self.stop(event, "several-documents", message)
                node = self.node(next(self.events), 0)
        if node is None or (isinstance(node, Scalar) and node.is_nothing):
            self.problems.add(
                Place(self.path, 1, 1), "wrong-type", "the file is empty; fill it in or remove it"
            )
            return None
        return node

    def node(self, event: yaml.Event, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            limit = f"{MAX_DEPTH} levels of nesting and {MAX_NODES} values"
            self.stop(event, "too-large", f"a context file has at most {limit}")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self.stop(event, "yaml-anchor", "anchors and aliases are not read; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.stop(event, "yaml-tag", f'the tag "{tag}" is not read; write the value without it')
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        return self.mapping(event, depth)

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        place = self.place(event)
        # One form of each letter, as the charges have it: `é` can be written as two characters.
        text = unicodedata.normalize("NFC", event.value)
        if len(text) > MAX_TEXT_CHARACTERS:
            message = f"a text of {len(text)} characters; at most {MAX_TEXT_CHARACTERS} are read"
            self.problems.add(place, "too-large", message)
        mark = _JINJA_MARK.search(text)
        if mark:
            _report_jinja(place, mark.group(), self.problems)
        bad = _FORBIDDEN_CHARACTER.search(text)
        if bad:
            message = f"character U+{ord(bad.group()):04X} is not allowed here; remove it"
            self.problems.add(place, "control-character", message)
        return Scalar(place, text, plain=event.style in (None, ""))

    def sequence(self, start: yaml.Event, depth: int) -> Sequence:
        items: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.node(event, depth + 1))
        return Sequence(self.place(start), tuple(items))

    def mapping(self, start: yaml.Event, depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        end = start
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                end = event
                break
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                self.problems.add(key.place, "wrong-type", "a key has to be a single word or text")
            elif key.text in entries:
                line = entries[key.text][0].place.line
                self.problems.add(
                    key.place, "duplicate-key", f'"{key.text}" is already in line {line}; keep one'
                )
            else:
                entries[key.text] = (key, value)
        assert start.start_mark is not None
        assert end.end_mark is not None  # both come from a text
        place, first, last = self.place(start), start.start_mark.index, end.end_mark.index
        return Mapping(place, tuple(entries.values()), self.text, first, last)

    def place(self, event: yaml.Event) -> Place:
        assert event.start_mark is not None  # every event that is read from a text has one
        return Place(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def stop(self, event: yaml.Event, code: str, message: str) -> None:
        self.problems.add(self.place(event), code, message)
        raise _StopReadingError
