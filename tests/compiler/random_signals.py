"""Random resources, relationships and accounts: few of each, so that they do meet; in circles, too.

Versions of one resource or account do not overlap, as the signals promise; relationships may be anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.compiler.known import spelled_as_in_charges

if TYPE_CHECKING:
    from tests.compiler.random_programs import Choices

Node = dict[str, Any]
RESOURCE_IDS = ("r1", "it's; -- r2", "r3", "")
ACCOUNT_IDS = ("a1", "a2")
RELATIONSHIPS = ("attached_to", "member_of")
TAG_KEY, ATTRIBUTE = "Cost Center", "instance_type"
PATHS: tuple[Any, ...] = ("attached_to", ["member_of"], ["attached_to", "member_of"], ["member_of"] * 3)
SIGNAL_SUBJECTS: tuple[Node, ...] = (
    {"account": f"tag {TAG_KEY}"},
    {"account": "organizational_unit_path"},
    {"resource": f"tag {TAG_KEY}"},
    {"resource": f"attribute {ATTRIBUTE}"},
    {"resource": "name"},
    {"resource": "account"},
    {"resource": "id"},
    *({"related": path, "tag": TAG_KEY} for path in PATHS),
    {"related": PATHS[0], "resource": "type"},
    {"related": PATHS[2], "resource": "id"},
    {"related": PATHS[3], "resource": f"attribute {ATTRIBUTE}"},
)
TIMES = tuple(datetime(2026, 1, day, hour) for day in (1, 2, 3) for hour in (0, 6, 12, 13))


def random_signals(choices: Choices, value: Callable[[], str | None]) -> dict[str, list[Node]]:
    """The rows of every signal; texts come from `value`."""

    def keyed(key: str) -> dict[str, str]:
        text = value()
        return {} if text is None else {spelled_as_in_charges(key): text}

    def resource(name: str) -> Node:
        texts = ("resource_arn", "resource_type", "resource_name", "account_id", "region_id")
        maps = {"tags": keyed(TAG_KEY), "attributes": keyed(ATTRIBUTE)}
        return {"resource_id": name, **{text: value() for text in texts}, **maps}

    def account(name: str) -> Node:
        texts = {"account_name": value(), "organizational_unit_path": value()}
        return {"account_id": name, **texts, "tags": keyed(TAG_KEY)}

    def relationship() -> Node:
        begin, end = choices.one_of(TIMES), choices.one_of([*TIMES, None, None])
        return {
            "resource_id": choices.one_of(RESOURCE_IDS),
            "relationship": choices.one_of(RELATIONSHIPS),
            "related_resource_id": choices.one_of(RESOURCE_IDS),
            "valid_from": begin,
            "valid_to": end if end is None else max(begin, end),
        }

    return {
        "resources": [row for name in RESOURCE_IDS for row in versions(choices, resource, name)],
        "resource_relationships": choices.some(8, relationship, least=0),
        "accounts": [row for name in ACCOUNT_IDS for row in versions(choices, account, name)],
    }


def versions(choices: Choices, make: Callable[[str], Node], name: str) -> list[Node]:
    """None to three rows, one after the other, with a gap between them or without."""
    ends = sorted({choices.one_of(TIMES) for _ in range(choices.below(5))})
    rows = [{**make(name), "valid_from": begin, "valid_to": end} for begin, end in pairwise(ends)]
    if rows and choices.maybe():
        del rows[choices.below(len(rows))]
    if ends and choices.maybe():
        rows.append({**make(name), "valid_from": ends[-1], "valid_to": None})
    return rows
