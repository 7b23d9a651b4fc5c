"""Read `usage.yml`: pulls of usage from other systems, and what is received from OpenTelemetry."""

from __future__ import annotations

from orchestration.compiler.language.pulls import (
    LATE_DAYS,
    PULL_SOURCES,
    SQL_PARAMETERS,
    STATISTICS,
    Pull,
    PullSource,
    Received,
)
from orchestration.compiler.problems import Place
from orchestration.compiler.reading.mappings import Reader
from orchestration.compiler.reading.mappings import kind as kind_of
from orchestration.compiler.reading.patterns import pattern_problem, replacement_problem
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar

REQUIRED_PULL_KEYS = ("name", "source", "from", "stream", "customer")
OPTIONAL_PULL_KEYS = ("customer_pattern", "since", "late_days", "filter")
OTLP_KEYS = ("metric", "span", "stream", "customer", "where", "filter", "filter_from")
LISTS = ("dimensions",)
"""Keys that are lists of texts; the others are one text."""


def read_usage(reader: Reader, node: Node) -> tuple[tuple[Pull, ...], tuple[Received, ...]]:
    """`pulls: [{name, source, from, stream, customer, …}]` and `otlp: [{metric, stream, customer, …}]`."""
    mapping = reader.mapping(node, "usage.yml", ("pulls", "otlp"))
    lists = {key: mapping.get(key) if mapping else None for key in ("pulls", "otlp")}
    items = {key: reader.items(listed, f'"{key}"') if listed else () for key, listed in lists.items()}
    pulls = [_pull(reader, item) for item in items["pulls"]]
    received = [_received(reader, item) for item in items["otlp"]]
    return tuple(filter(None, pulls)), tuple(filter(None, received))


def _received(reader: Reader, node: Node) -> Received | None:
    mapping = reader.mapping(node, "an item of otlp", OTLP_KEYS, ("stream", "customer"))
    stream_node = mapping.get("stream") if mapping else None
    if mapping is None or stream_node is None:
        return None
    texts = {key: reader.optional_text(mapping, key) for key in ("metric", "span", "stream", "customer")}
    if bool(mapping.get("metric")) == bool(mapping.get("span")):
        message = "an item of otlp has either metric, its name, or span, the attribute with the number"
        reader.problem(mapping.place, "conflicting-keys", message)
        return None
    filter_places: dict[str, Place] = {}
    said = {
        key: _elements(reader, mapping.get(key), key, filter_places if key != "where" else {})
        for key in ("where", "filter", "filter_from")
    }
    if not (texts["stream"] and texts["customer"] and (texts["metric"] or texts["span"])):
        return None
    single = {
        key: {name: elements[0] for name, elements in said[key].items() if elements}
        for key in ("where", "filter_from")
    }
    return Received(
        texts["metric"],
        texts["span"],
        texts["stream"],
        texts["customer"],
        single["where"],
        said["filter"],
        single["filter_from"],
        mapping.place,
        stream_node.place,
        filter_places,
    )


def _pull(reader: Reader, node: Node) -> Pull | None:
    given = node.get("source") if isinstance(node, Mapping) else None
    source = reader.choice(given, '"source"', PULL_SOURCES) if given else None
    kind = PULL_SOURCES.get(source or "")
    every = [key for each in PULL_SOURCES.values() for key in (*each.required, *each.optional)]
    own = (*kind.required, *kind.optional) if kind else tuple(dict.fromkeys(every))
    required = (*REQUIRED_PULL_KEYS, *(kind.required if kind else ()))
    known = (*REQUIRED_PULL_KEYS, *OPTIONAL_PULL_KEYS, *own)
    mapping = reader.mapping(node, f"a pull from {source}" if source else "a pull", known, required)
    if mapping is None or kind is None or source is None:
        return None
    texts = {key: reader.optional_text(mapping, key) for key in ("from", "stream")}
    name_node, customer_node, stream_node = (mapping.get(key) for key in ("name", "customer", "stream"))
    name = reader.name(name_node, "the name of the pull") if name_node else None
    customer = _one_of(reader, customer_node, '"customer"', kind.customers) if customer_node else None
    options = _options(reader, mapping, kind, own)
    filter_places: dict[str, Place] = {}
    elements = _elements(reader, mapping.get("filter"), "filter", filter_places)
    if not (name and customer and stream_node and all(texts.values())) or options is None:
        return None
    since_node = mapping.get("since")
    return Pull(
        name,
        source,
        texts["from"] or "",
        texts["stream"] or "",
        customer,
        _pattern(reader, mapping.get("customer_pattern")),
        reader.day(since_node, '"since"') if since_node else None,
        _late_days(reader, mapping.get("late_days")),
        elements,
        options,
        mapping.place,
        stream_node.place,
        filter_places,
    )


def _one_of(reader: Reader, node: Node, what: str, choices: tuple[str, ...]) -> str | None:
    return reader.choice(node, what, choices) if choices else reader.text(node, what)


def _options(
    reader: Reader, mapping: Mapping, kind: PullSource, own: tuple[str, ...]
) -> dict[str, tuple[str, ...]] | None:
    """The keys of the source; None after a problem."""
    choices = {"value": kind.values, "statistic": STATISTICS}
    options: dict[str, tuple[str, ...]] = {}
    complete = True
    for key in own:
        node = mapping.get(key)
        if node is None:
            complete = complete and key not in kind.required
            continue
        items = reader.items(node, f'"{key}"') if key in LISTS else (node,)
        read = [_one_of(reader, item, f'"{key}"', choices.get(key, ())) for item in items]
        options[key] = tuple(text for text in read if text is not None)
        complete = complete and len(options[key]) == len(read) > 0
        if key == "query" and "time" in kind.optional:
            missing = [each for each in SQL_PARAMETERS if each not in options[key][:1][0]] if read[0] else []
            if missing:
                message = f"the query does not use {' and '.join(missing)}; it has to read one window of time"
                reader.problem(node.place, "bad-query", message)
                complete = False
    return options if complete else None


def _pattern(reader: Reader, node: Node | None) -> str | None:
    text = reader.text(node, '"customer_pattern"') if node else None
    if text is None or node is None:
        return None
    if problem := pattern_problem(text):
        reader.problem(node.place, "bad-regex", f"{problem}; RE2 has no lookaround and no backreferences")
    elif replacement_problem(text, r"\1"):
        message = 'the pattern has no group; put the part that is the customer in "( )"'
        reader.problem(node.place, "bad-regex", message)
    return text


def _late_days(reader: Reader, node: Node | None) -> int:
    number = reader.whole(node, '"late_days"') if node else LATE_DAYS
    if node and number is not None and not 0 <= number <= 31:
        reader.problem(node.place, "bad-number", f'"late_days" is {number}; it has to be from 0 to 31')
    return LATE_DAYS if number is None else number


def _elements(
    reader: Reader, node: Node | None, name: str, places: dict[str, Place]
) -> dict[str, tuple[str, ...]]:
    """Texts by name: one, or for `filter` also a list. Where each name stands is added to `places`."""
    if node is None or not isinstance(node, Mapping):
        if node is not None:
            reader.problem(node.place, "wrong-type", f'"{name}" is a mapping; found {kind_of(node)}')
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for key, value in node.entries:
        places[key.text] = key.place
        what = f'"{key.text}" of "{name}"'
        if name != "filter":
            text = reader.text(value, what)
            found[key.text] = (text,) if text else ()
            continue
        items = (value,) if isinstance(value, Scalar) else reader.items(value, what)
        read = [reader.text(item, what) for item in items]
        found[key.text] = tuple(text for text in read if text is not None)
    return found
