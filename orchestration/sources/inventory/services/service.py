"""Shape of a service: its name, how to query it, and how to read its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from orchestration.sources.inventory.resource import Place, Resource

# boto3 creates its clients at run time, so there is no type to import.
Client: TypeAlias = Any
Answer: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Service:
    """Something to query in a region.

    `name` is the scope's name (such as `ec2:volume`), `client` boto3's client. `ask` yields answers page by
    page; `resources` reads one of them and is pure. If a service does not return tags, `needs_tags` says that
    they come from the Resource Groups Tagging API, without which too little is known.
    """

    name: str
    client: str
    ask: Callable[[Client], Iterable[Answer]]
    resources: Callable[[Answer, Place], Iterable[Resource]]
    needs_tags: bool = False


def pages(operation: str, **arguments: Any) -> Callable[[Client], Iterator[Answer]]:
    """All pages of one operation."""

    def ask(client: Client) -> Iterator[Answer]:
        yield from client.get_paginator(operation).paginate(**arguments)

    return ask
