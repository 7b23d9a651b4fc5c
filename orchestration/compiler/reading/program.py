"""Context files to a program: each file by its place in the contexts folder.

Reads on after a problem, so that all of them are found. `dimensions` and `allocation` read
their files; streams, which are three texts each, are read here.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from pathlib import PurePosixPath

from orchestration.compiler.language.program import (
    Allocation,
    Dimension,
    Feedback,
    Granularity,
    Program,
    Stream,
)
from orchestration.compiler.language.pulls import Pull, Received
from orchestration.compiler.problems import Place, Problems
from orchestration.compiler.reading.allocation import read_allocation
from orchestration.compiler.reading.dimensions import read_dimension
from orchestration.compiler.reading.mappings import Reader, kind
from orchestration.compiler.reading.pulls import read_usage
from orchestration.compiler.reading.syntax import Mapping, Node, is_empty, is_plain, parse_yaml

STREAM_KEYS = ("unit", "granularity", "description")
STREAMS_FILE, ALLOCATION_FILE, ANOMALIES_FILE = "streams.yml", "allocation.yml", "anomalies.yml"
USAGE_FILE = "usage.yml"
_FILES = (STREAMS_FILE, ALLOCATION_FILE, ANOMALIES_FILE, USAGE_FILE)
FEEDBACK_KEYS = ("anomaly", "verdict", "note")
VERDICTS = ("planned", "not an anomaly")


def read_program(contexts: MappingOf[str, str], problems: Problems) -> Program:
    """The program that the context files describe; what is wrong with them is added to `problems`."""
    reader = Reader(problems)
    root = _root_of(contexts)
    dimensions: list[Dimension] = []
    streams: tuple[Stream, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    pulls: tuple[Pull, ...] = ()
    received: tuple[Received, ...] = ()
    allocation = Allocation(None, (), Place(f"{root}{ALLOCATION_FILE}", 1, 1))
    unread: set[str] = set()
    for path in sorted(contexts):
        name = path.removeprefix(root)
        if not is_plain(path):
            message = "the path holds a template mark or a control character; rename the file or its folder"
            problems.add(Place(path, 1, 1), "unknown-file", message)
            continue
        in_dimensions = str(PurePosixPath(name).parent) == "dimensions" and name.endswith(".yml")
        if not in_dimensions and name not in _FILES:
            known = f"dimensions/<name>.yml, {', '.join(_FILES[:-1])} and {_FILES[-1]}"
            message = f"read are {known}; rename or move this"
            problems.add(Place(path, 1, 1), "unknown-file", message)
            continue
        node = parse_yaml(path, contexts[path], problems)
        if node is None:
            unread.add(name)
        elif in_dimensions:
            dimension = read_dimension(reader, node, PurePosixPath(name).stem)
            dimensions.extend([dimension] if dimension else [])
            unread.update([] if dimension else [name])
        elif name == STREAMS_FILE:
            streams = _streams(reader, node)
        elif name == ANOMALIES_FILE:
            feedback = _feedback(reader, node)
        elif name == USAGE_FILE:
            pulls, received = read_usage(reader, node)
        else:
            allocation = read_allocation(reader, node)
    if root + ALLOCATION_FILE not in contexts:
        message = (
            "the file is needed: it says which cost counts (cost_of_goods_sold), and who carries it (rules)"
        )
        problems.add(allocation.place, "missing-file", message)
    return Program(tuple(dimensions), streams, allocation, frozenset(unread), feedback, pulls, received)


def _root_of(contexts: MappingOf[str, str]) -> str:
    """The contexts folder as shown, with a slash: the one that holds `allocation.yml` or `dimensions/`."""
    folders = {PurePosixPath(path).parent for path in contexts}
    roots = {folder.parent if folder.name == "dimensions" else folder for folder in folders}
    root = min(roots, key=lambda folder: (len(folder.parts), str(folder)), default=PurePosixPath())
    return f"{root}/" if root.parts else ""


def _streams(reader: Reader, node: Node) -> tuple[Stream, ...]:
    """`streams: {name: {unit, granularity, description}}`."""
    mapping = reader.mapping(node, "streams.yml", ("streams",), required=("streams",))
    listed = mapping.get("streams") if mapping else None
    if listed is None or is_empty(listed):
        return ()
    if not isinstance(listed, Mapping):
        message = f'"streams" is a mapping of stream names; found {kind(listed)}'
        reader.problem(listed.place, "wrong-type", message)
        return ()
    streams = []
    for key, value in listed.entries:
        name = reader.name(key, "the name of the stream")
        if is_empty(value):
            value = Mapping(value.place, (), "", 0, 0)  # everything by default
        fields = reader.mapping(value, f'the stream "{key.text}"', STREAM_KEYS)
        if fields is None:
            continue
        unit, description = (
            reader.optional_text(fields, "unit"),
            reader.optional_text(fields, "description"),
        )
        granularity_node = fields.get("granularity")
        granularity: str | None = "daily"
        if granularity_node:
            granularity = reader.choice(granularity_node, '"granularity"', ("hourly", "daily"))
        if name and granularity:
            read: Granularity = "hourly" if granularity == "hourly" else "daily"
            streams.append(Stream(name, unit or name, read, description or "", key.place))
    return tuple(streams)


def _feedback(reader: Reader, node: Node) -> tuple[Feedback, ...]:
    """`anomalies: [{anomaly, verdict, note}]`."""
    mapping = reader.mapping(node, ANOMALIES_FILE, ("anomalies",), required=("anomalies",))
    listed = mapping.get("anomalies") if mapping else None
    found: dict[str, Feedback] = {}
    for item in reader.items(listed, '"anomalies"') if listed else ():
        fields = reader.mapping(item, "an item of anomalies", FEEDBACK_KEYS, required=FEEDBACK_KEYS[:2])
        verdict_node = fields.get("verdict") if fields else None
        if fields is None or verdict_node is None:
            continue
        anomaly = reader.optional_text(fields, "anomaly")
        verdict = reader.choice(verdict_node, '"verdict"', VERDICTS)
        note = reader.optional_text(fields, "note") or ""
        if anomaly in found:
            reader.problem(item.place, "duplicate-name", f'the anomaly "{anomaly}" has a verdict already')
        elif anomaly and verdict:
            found[anomaly] = Feedback(anomaly, verdict, note)
    return tuple(found.values())
