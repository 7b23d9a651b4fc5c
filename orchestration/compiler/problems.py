"""Problems in contexts and their codes.

Every problem has a place (file, line, column), a stable code and a message that says what to do. All are
collected, so one check reports everything. `reading` decides which code applies.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_MESSAGE_CHARACTERS = 500
CODES: dict[str, str] = {
    "yaml-syntax": "The file is not YAML.",
    "yaml-tag": "The file uses a YAML tag such as `!!python/object`; contexts are plain data.",
    "yaml-anchor": "The file uses a YAML anchor or alias (`&name`, `*name`); write out the value.",
    "several-documents": "The file has more than one YAML document (`---`).",
    "duplicate-key": "A key occurs twice in one mapping.",
    "too-large": "A file, text, list or nesting exceeds the size limit.",
    "jinja-mark": "The file contains `{{`, `{%` or `{#`; contexts are data, not templates.",
    "control-character": "Text contains a control character other than a line break or tab.",
    "unknown-file": "The contexts folder contains a file that is not part of the language.",
    "missing-file": "A required file is missing.",
    "file-name": "A dimension file is not named after its dimension.",
    "unknown-key": "The key is not allowed here.",
    "missing-key": "A required key is missing.",
    "conflicting-keys": "Mutually exclusive keys are used together.",
    "wrong-type": "A value has the wrong type; expected text, a list, a mapping, true or false.",
    "empty-text": "Required text is empty.",
    "empty-list": "A list is empty, so nothing could ever match.",
    "bad-name": "A name must be lower-case letters, digits and `_`, starting with a letter.",
    "reserved-name": "A dimension is named like an existing column or an SQL keyword.",
    "duplicate-name": "Two dimensions, streams, pulls or allocation rules have the same name.",
    "bad-key": "The key of a tag, label or attribute contains no letter or digit.",
    "bad-date": "A date is not in the form YYYY-MM-DD.",
    "bad-number": "A number is not a plain decimal or is out of range.",
    "bad-range": "A range ends before it starts.",
    "bad-query": "A query does not use the placeholders of its window of time.",
    "bad-regex": "RE2 does not accept the regular expression (no lookaround, no backreferences).",
    "bad-replacement": "A replacement has a backslash that does not refer to an existing group, like `\\1`.",
    "unknown-column": "The charges have no such column.",
    "unknown-field": "`k8s`, `account` or `resource` has no such field.",
    "unknown-dimension": "No file defines this dimension.",
    "unknown-element": "No rule of the dimension produces this element.",
    "unknown-stream": "`streams.yml` has no such stream.",
    "unknown-choice": "The value is not one of the allowed choices.",
    "operator-type": "The operator does not fit the type of the column.",
    "dimension-cycle": "Dimensions refer to each other in a cycle.",
    "unreachable-rule": "A rule follows one that matches every charge.",
    "bad-shares": "Shares or weights do not sum to exactly 1, or one is not between 0 and 1.",
    "granularity": "A rule asks for hours from a daily stream.",
    "test-failed": "A test in a dimension file produced a different element than expected.",
}
"""Every problem code with what it means; codes are stable, messages may improve."""


@dataclass(frozen=True, order=True)
class Place:
    """A position in a context file: path as shown to people, line and column counted from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, order=True)
class Problem:
    """One problem, its place, and what to do about it."""

    path: str
    line: int
    column: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column} {self.code}: {self.message}"


@dataclass
class Problems:
    """Collects problems; `found` returns them in file order without duplicates."""

    _found: list[Problem] = field(default_factory=list)

    def add(self, place: Place, code: str, message: str) -> None:
        """Add a problem; `code` is one of `CODES`. Path and message are forced onto one line."""
        if code not in CODES:
            raise KeyError(f"problem code {code!r} is not listed in problems.CODES")
        line = " ".join(message.split())
        line = line if len(line) <= MAX_MESSAGE_CHARACTERS else f"{line[: MAX_MESSAGE_CHARACTERS - 1]}…"
        self._found.append(Problem(_shown(place.path), place.line, place.column, code, _shown(line)))

    @property
    def found(self) -> tuple[Problem, ...]:
        """All problems so far, ordered by file, line and column."""
        return tuple(sorted(set(self._found)))


def _shown(text: str) -> str:
    """Escape invisible characters, and those that reverse text direction, as `\u200b`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End of a message: a close match if there is one, else a short list of known names."""
    candidates = sorted(known)
    near = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    if not candidates:
        return ""
    if len(candidates) <= 12:
        return f"; known are: {', '.join(candidates)}"
    return ""
