"""Context files to a program: dimensions and streams, each file by its place in the contexts folder.

Reads on after a problem, so that all of them are found. Conditions and values are read by
`resolve_conditions`, `allocation.yml` by `resolve_allocation`.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from pathlib import PurePosixPath

from orchestration.compiler.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language import (
    Allocation,
    Dimension,
    DimensionTest,
    Operand,
    Program,
    Rule,
    Stream,
    Valid,
    normalise_key,
)
from orchestration.compiler.problems import Place, Problems, did_you_mean
from orchestration.compiler.reading import kind
from orchestration.compiler.resolve_allocation import read_allocation
from orchestration.compiler.resolve_conditions import SUBJECTS, ConditionReader
from orchestration.compiler.syntax import Mapping, Node, Scalar, Sequence, parse_yaml

DIMENSION_KEYS = ("dimension", "description", "default", "rules", "tests")
RULE_KEYS = ("element", "from", "split", "when", "transform", "valid")
STREAM_KEYS = ("unit", "granularity", "description")


def read_program(contexts: MappingOf[str, str], problems: Problems) -> Program:
    """The program that the context files describe; what is wrong with them is added to `problems`."""
    dimensions: list[Dimension] = []
    streams: tuple[Stream, ...] = ()
    allocation = Allocation(None, (), Place("allocation.yml", 1, 1))
    roots = {
        str(PurePosixPath(path).parent) for path in contexts if PurePosixPath(path).name == "allocation.yml"
    }
    for path in sorted(contexts):
        where = PurePosixPath(path)
        reader = _DimensionReader(problems)
        in_dimensions = where.parent.name == "dimensions"
        if not (
            where.suffix == ".yml" and (in_dimensions or where.name in {"streams.yml", "allocation.yml"})
        ):
            message = "only dimensions/<name>.yml, streams.yml and allocation.yml are read; rename or move it"
            problems.add(Place(path, 1, 1), "unknown-file", message)
            continue
        node = parse_yaml(path, contexts[path], problems)
        if node is None:
            continue
        if in_dimensions:
            dimension = reader.dimension(node, where.stem)
            dimensions.extend([dimension] if dimension else [])
        elif where.name == "streams.yml":
            streams = reader.streams(node)
        else:
            allocation = read_allocation(node, problems)
    if not roots:
        message = (
            "the file is needed: it says which cost counts (cost_of_goods_sold) and how it is divided (rules)"
        )
        problems.add(Place(_root_of(contexts) + "allocation.yml", 1, 1), "missing-file", message)
    return Program(tuple(dimensions), streams, allocation)


def _root_of(contexts: MappingOf[str, str]) -> str:
    for path in sorted(contexts):
        where = PurePosixPath(path)
        folder = where.parent.parent if where.parent.name == "dimensions" else where.parent
        return "" if str(folder) == "." else f"{folder}/"
    return ""


class _DimensionReader(ConditionReader):
    """Reads dimension files and the file of streams."""

    def dimension(self, node: Node, file_name: str) -> Dimension | None:
        mapping = self.mapping(
            node, "a dimension file", DIMENSION_KEYS, ("dimension", "description", "rules")
        )
        if mapping is None:
            return None
        name_node, rules_node, tests_node = (mapping.get(key) for key in ("dimension", "rules", "tests"))
        name = self.name(name_node, "the name of the dimension") if name_node else None
        if name_node and name and name != file_name:
            message = f'the file is named "{file_name}.yml", its dimension "{name}"; give both the same name'
            self.problem(name_node.place, "file-name", message)
        description = self._optional_text(mapping, "description")
        default = self._optional_text(mapping, "default")
        rules = tuple(self.rule(item) for item in self.items(rules_node, '"rules"')) if rules_node else ()
        tests: tuple[DimensionTest | None, ...] = ()
        if isinstance(tests_node, Sequence):
            tests = tuple(self.test(item) for item in tests_node.items)
        elif tests_node is not None:
            self.items(tests_node, '"tests"')
        if name is None or name_node is None:
            return None
        return Dimension(
            name,
            description or "",
            default,
            tuple(rule for rule in rules if rule is not None),
            tuple(test for test in tests if test is not None),
            mapping.place,
            name_node.place,
        )

    def rule(self, node: Node) -> Rule | None:
        mapping = self.mapping(node, "a rule", RULE_KEYS)
        if mapping is None:
            return None
        named = [(key, value) for key, value in mapping.entries if key.text in {"element", "from", "split"}]
        if len(named) != 1:
            code = "conflicting-keys" if named else "missing-key"
            place = named[1][0].place if named else mapping.place
            self.problem(
                place, code, 'a rule has exactly one of "element" (a fixed text) and "from" (a value)'
            )
            return None
        key, value_node = named[0]
        when_node, transform, valid_node = (mapping.get(name) for name in ("when", "transform", "valid"))
        when = self.condition(when_node) if when_node else None
        valid = self.valid(valid_node) if valid_node else None
        if key.text == "split":
            message = "split rules are not compiled by this version; let one element carry the cost for now"
            self.problem(key.place, "not-yet-supported", message)
            return None
        if key.text == "element":
            if transform is not None:
                self.problem(
                    transform.place,
                    "conflicting-keys",
                    '"transform" belongs to "from"; write the element out',
                )
            element = self.text(value_node, '"element"')
            return Rule(element, None, when, valid, mapping.source, mapping.place) if element else None
        source = self.value(value_node, transform, '"from"')
        return Rule(None, source, when, valid, mapping.source, mapping.place) if source else None

    def valid(self, node: Node) -> Valid | None:
        mapping = self.mapping(node, '"valid"', ("from", "until"))
        if mapping is None:
            return None
        first_node, last_node = mapping.get("from"), mapping.get("until")
        if first_node is None and last_node is None:
            self.problem(mapping.place, "missing-key", '"valid" needs "from", "until" or both, each a date')
        first = self.day(first_node, '"from"') if first_node else None
        last = self.day(last_node, '"until"') if last_node else None
        if first and last and last < first:
            self.problem(
                mapping.place, "bad-range", '"valid" ends before it begins; turn the two dates around'
            )
        return Valid(first, last)

    def test(self, node: Node) -> DimensionTest | None:
        mapping = self.mapping(node, "a test", ("given", "expect"), required=("given", "expect"))
        given_node = mapping.get("given") if mapping else None
        expect_node = mapping.get("expect") if mapping else None
        if mapping is None or given_node is None or expect_node is None:
            return None
        unmatched = isinstance(expect_node, Scalar) and expect_node.is_nothing
        expect = None if unmatched else self.text(expect_node, '"expect"')
        if not isinstance(given_node, Mapping):
            example = "{tag: {app: search}, region_id: eu-west-1}"
            message = f'"given" is a mapping such as {example}; found {kind(given_node)}'
            self.problem(given_node.place, "wrong-type", message)
            return None
        charge: list[tuple[str, Operand]] = []
        texts: dict[str, list[tuple[str, str]]] = {"tag": [], "cost_category": [], "dimension": []}
        for key, value in given_node.entries:
            if key.text in texts:
                texts[key.text] = self._given_texts(key.text, value)
            elif key.text in CHARGE_COLUMNS:
                operand = self.typed(value, CHARGE_COLUMNS[key.text], f'"{key.text}"')
                charge.extend([] if operand is None else [(key.text, operand)])
            else:
                known = (*CHARGE_COLUMNS, *texts)
                self.problem(
                    key.place, "unknown-column", f'no column "{key.text}"{did_you_mean(key.text, known)}'
                )
        given = (tuple(charge), tuple(texts["tag"]), tuple(texts["cost_category"]), tuple(texts["dimension"]))
        return DimensionTest(*given, expect, mapping.place)

    def _given_texts(self, kind_of_subject: str, node: Node) -> list[tuple[str, str]]:
        if not isinstance(node, Mapping):
            message = f'"{kind_of_subject}" is a mapping of names to texts; found {kind(node)}'
            self.problem(node.place, "wrong-type", message)
            return []
        keep = kind_of_subject == "dimension"
        pairs = [(key.text, self.text(value, f'"{key.text}"')) for key, value in node.entries]
        return [(name if keep else normalise_key(name), text) for name, text in pairs if text is not None]

    def streams(self, node: Node) -> tuple[Stream, ...]:
        """`streams: {name: {unit, granularity, description}}`."""
        mapping = self.mapping(node, "streams.yml", ("streams",), required=("streams",))
        listed = mapping.get("streams") if mapping else None
        if listed is None:
            return ()
        if not isinstance(listed, Mapping):
            message = f'"streams" is a mapping of stream names; found {kind(listed)}'
            self.problem(listed.place, "wrong-type", message)
            return ()
        streams = []
        for key, value in listed.entries:
            name = self.name(key, "the name of the stream")
            fields = self.mapping(value, f'the stream "{key.text}"', STREAM_KEYS, STREAM_KEYS)
            if fields is None:
                continue
            unit, description = (
                self._optional_text(fields, "unit"),
                self._optional_text(fields, "description"),
            )
            granularity_node = fields.get("granularity")
            granularity = None
            if granularity_node:
                granularity = self.choice(granularity_node, '"granularity"', ("hourly", "daily"))
            if name and unit and description and granularity:
                hourly = granularity == "hourly"
                streams.append(Stream(name, unit, "hourly" if hourly else "daily", description, key.place))
        return tuple(streams)

    def _optional_text(self, mapping: Mapping, key: str) -> str | None:
        node = mapping.get(key)
        return None if node is None else self.text(node, f'"{key}"')


__all__ = ["DIMENSION_KEYS", "RULE_KEYS", "STREAM_KEYS", "SUBJECTS", "read_program"]
