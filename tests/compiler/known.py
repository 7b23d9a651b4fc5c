"""What is known of resources and accounts at the time of a charge: the oracle's reading of the signals.

Plain lists of rows, walked one by one; shares no code with the compiler. A row holds from `valid_from` up to,
not including, `valid_to` (None: for ever).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
RESOURCE = {
    "id": "resource_id",
    "arn": "resource_arn",
    "type": "resource_type",
    "name": "resource_name",
    "account": "account_id",
    "region": "region_id",
}


def spelled_as_in_charges(key: str) -> str:
    """A tag key as the language page says: without `user:`, its letters and digits, in lower case."""
    own = key[len("user:") :] if key.startswith(("user:", "user_")) else key
    return "".join(character.lower()[0] for character in own if character.isalnum())


def holds(row: Row, moment: datetime) -> bool:
    return row["valid_from"] <= moment and (row["valid_to"] is None or moment < row["valid_to"])


def fact_of(row: Row, fact: str) -> str | None:
    """A field such as `type`, or a map and a key such as `tag Cost Center`."""
    kind, _, key = fact.partition(" ")
    if key:
        return row[f"{kind}s"].get(spelled_as_in_charges(key))
    value: str | None = row[RESOURCE.get(fact, fact)]
    return value


class Known:
    """The rows of `resources`, `resource_relationships` and `accounts`."""

    def __init__(self, signals: Mapping[str, Sequence[Row]]) -> None:
        self.resources = signals.get("resources", [])
        self.relationships = signals.get("resource_relationships", [])
        self.accounts = signals.get("accounts", [])

    def of_account(self, charge: Row, fact: str) -> str | None:
        def at(moment: datetime) -> list[Row]:
            return [
                row
                for row in self.accounts
                if row["account_id"] == charge.get("sub_account_id") and holds(row, moment)
            ]

        found = self.first(charge, self.accounts, at)
        return fact_of(found[0], fact) if found else None

    def of_resource(self, charge: Row, fact: str) -> str | None:
        found = self.first(
            charge, self.resources, lambda moment: self.versions(charge.get("resource_id"), moment)
        )
        return fact_of(found[0], fact) if found else None

    def of_related(self, charge: Row, path: Sequence[str], fact: str) -> str | None:
        """What the resources at the end of the path agree on."""

        def at(moment: datetime) -> list[str | None]:
            reached = [charge.get("resource_id")]
            for relationship in path:
                reached = [
                    row["related_resource_id"]
                    for resource in reached
                    for row in self.relationships
                    if row["resource_id"] == resource
                    and row["relationship"] == relationship
                    and holds(row, moment)
                ]
            if fact == "id":
                return reached
            return [fact_of(row, fact) for resource in reached for row in self.versions(resource, moment)]

        facts = {fact for fact in self.first(charge, [*self.resources, *self.relationships], at) if fact}
        return facts.pop() if len(facts) == 1 else None

    def versions(self, resource: str | None, moment: datetime) -> list[Row]:
        return [row for row in self.resources if row["resource_id"] == resource and holds(row, moment)]

    def first(self, charge: Row, rows: Sequence[Row], at: Callable[[datetime], list[Any]]) -> list[Any]:
        """What there is when the charge's period begins, or else at the first moment in it with anything."""
        return next((found for moment in moments(charge, rows) if (found := at(moment))), [])


def moments(charge: Row, rows: Sequence[Row]) -> Iterator[datetime]:
    """The begin of the charge's period, and every moment in it at which something begins to hold."""
    begin, end = charge.get("charge_period_start"), charge.get("charge_period_end")
    if begin is None:
        return
    yield begin
    if end is not None:
        yield from sorted({row["valid_from"] for row in rows if begin < row["valid_from"] < end})
