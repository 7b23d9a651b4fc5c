"""Read typed values from nodes, reporting a problem for each that does not fit.

Every method returns None after reporting a problem, so that reading continues and finds the others.
Language-specific shapes belong in the neighbouring modules; this one only knows text, numbers, dates, lists
and mappings.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal

from orchestration.compiler.problems import Place, Problems, did_you_mean
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar, Sequence

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,26}(\.[0-9]{1,12})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?")


def kind(node: Node) -> str:
    """Description of a node, for messages."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return "nothing" if node.is_nothing else f'"{_short(node.text)}"'


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:57] + "..."


class Reader:
    """Typed values from nodes; problems go to `problems`."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def problem(self, place: Place, code: str, message: str) -> None:
        """Report a problem."""
        self.problems.add(place, code, message)

    def mapping(
        self, node: Node, what: str, known: Collection[str], required: Collection[str] = ()
    ) -> Mapping | None:
        """A mapping with only `known` keys and all `required` ones; None if it is not a mapping."""
        if not isinstance(node, Mapping):
            message = f"{what} is a mapping of {', '.join(sorted(known))}; found {kind(node)}"
            self.problem(node.place, "wrong-type", message)
            return None
        for key, _ in node.entries:
            if key.text not in known:
                message = f'{what} has no key "{_short(key.text)}"{did_you_mean(key.text, known)}'
                self.problem(key.place, "unknown-key", message)
        for name in required:
            if node.get(name) is None:
                self.problem(node.place, "missing-key", f'{what} needs the key "{name}"')
        return node

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """Items of a nonempty list; none if it is not a list."""
        if not isinstance(node, Sequence):
            self.problem(node.place, "wrong-type", f"{what} is a list; found {kind(node)}")
            return ()
        if not node.items:
            self.problem(node.place, "empty-list", f"{what} is empty; list at least one, or remove the key")
        return node.items

    def text(self, node: Node, what: str) -> str | None:
        """A nonempty text."""
        text = self.any_text(node, what)
        if text == "":
            self.problem(node.place, "empty-text", f"{what} is empty; write it, or remove the key")
            return None
        return text

    def optional_text(self, mapping: Mapping, key: str) -> str | None:
        """The text under a key, None if the key is absent."""
        node = mapping.get(key)
        return None if node is None else self.text(node, f'"{key}"')

    def any_text(self, node: Node, what: str) -> str | None:
        """A text, possibly empty if quoted."""
        if not isinstance(node, Scalar) or node.is_nothing:
            hint = (
                " (put it in quotes if you mean that word)" if isinstance(node, Scalar) and node.text else ""
            )
            self.problem(node.place, "wrong-type", f"{what} is a text; found {kind(node)}{hint}")
            return None
        return node.text

    def name(self, node: Node, what: str) -> str | None:
        """A name of lower-case letters, digits and underscores."""
        text = self.text(node, what)
        if text is not None and not _NAME.fullmatch(text):
            message = f'{what} "{_short(text)}" has to be lower-case letters, digits and "_", a letter first'
            self.problem(node.place, "bad-name", message)
            return None
        return text

    def choice(self, node: Node, what: str, choices: Collection[str]) -> str | None:
        """One of a few words."""
        text = self.text(node, what)
        if text is not None and text not in choices:
            message = f'{what} cannot be "{_short(text)}"{did_you_mean(text, choices)}'
            self.problem(node.place, "unknown-choice", message)
            return None
        return text

    def flag(self, node: Node, what: str) -> bool | None:
        """True or false."""
        if isinstance(node, Scalar) and node.plain and node.text in {"true", "false"}:
            return node.text == "true"
        self.problem(node.place, "wrong-type", f"{what} is true or false; found {kind(node)}")
        return None

    def decimal(self, node: Node, what: str) -> Decimal | None:
        """A plain decimal number with at most 12 digits behind the point."""
        text = self.text(node, what)
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text):
            message = (
                f'{what} "{_short(text)}" is not a plain decimal with at most 12 digits behind the point'
            )
            self.problem(node.place, "bad-number", message)
            return None
        return Decimal(text)

    def fraction(self, node: Node, what: str) -> Decimal | None:
        """A number above 0, at most 1, with at most 6 digits behind the point."""
        number = self.decimal(node, what)
        if number is None:
            return None
        if not 0 < number <= 1 or number != round(number, 6):
            message = (
                f"{what} is {number}; it has to be above 0, at most 1, with at most 6 digits behind the point"
            )
            self.problem(node.place, "bad-shares", message)
            return None
        return number

    def shares(self, node: Node, what: str, of: str) -> tuple[tuple[str, Decimal], ...] | None:
        """Fractions by name that sum to exactly 1; `of` is what the names are, such as `customer id`."""
        if not isinstance(node, Mapping) or not node.entries:
            found = "an empty one" if isinstance(node, Mapping) else kind(node)
            message = f"{what} is a mapping of {of}s to fractions; found {found}"
            self.problem(node.place, "wrong-type", message)
            return None
        read = [(key.text, self.fraction(value, f'the share of "{key.text}"')) for key, value in node.entries]
        shares = tuple((name, share) for name, share in read if share is not None)
        total = sum((share for _, share in shares), Decimal(0))
        if len(shares) < len(read):
            return None
        if any(not name for name, _ in shares):
            article = "an" if of[0] in "aeiou" else "a"
            self.problem(node.place, "empty-text", f"{article} {of} is empty; write it")
            return None
        if total != 1:
            self.problem(
                node.place, "bad-shares", f"the shares sum to {total}; they have to sum to exactly 1"
            )
            return None
        return shares

    def whole(self, node: Node, what: str) -> int | None:
        """An integer of at most 18 digits."""
        text = self.text(node, what)
        if text is None:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            self.problem(node.place, "bad-number", f'{what} "{_short(text)}" is not a whole number')
            return None
        return int(text)

    def day(self, node: Node, what: str) -> date | None:
        """A date YYYY-MM-DD."""
        text = self.text(node, what)
        if text is None:
            return None
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        self.problem(node.place, "bad-date", f'{what} "{_short(text)}" is not a date; write it as YYYY-MM-DD')
        return None

    def day_or_moment(self, node: Node, what: str) -> date | datetime | None:
        """A date, or a UTC time YYYY-MM-DDTHH:MM[:SS]."""
        text = self.text(node, what)
        if text is None or not _TIMESTAMP.fullmatch(text):
            return None if text is None else self.day(node, what)
        try:
            return datetime.fromisoformat(text.removesuffix("Z"))
        except ValueError:
            self.problem(node.place, "bad-date", f'{what} "{_short(text)}" is not a time of any day')
            return None
