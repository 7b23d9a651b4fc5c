"""Small wrong changes of the product's SQL: one operator, filter, order or aggregate at a time.

A mutant that no test notices is a line of SQL that nothing holds to its meaning. Mutants are found by
patterns in the text, in a fixed order: a number names the same mutant as long as the file does not change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What is changed, and into what. Each stands for a slip that a person could make.
CHANGES = (
    (r" >= ", " > "),
    (r" <= ", " < "),
    (r" > ", " >= "),
    (r" < ", " <= "),
    (r" = ", " <> "),
    (r" <> ", " = "),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " + "),
    (r" and ", " or "),
    (r" or ", " and "),
    (r"\bsum\(", "max("),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bgreatest\(", "least("),
    (r"\bleast\(", "greatest("),
    (r"\bcoalesce\(", "nullif("),
    (r"\bis not null\b", "is null"),
    (r"\bis null\b", "is not null"),
    (r"\bnot in\b", "in"),
    (r"\bleft join\b", "inner join"),
    (r"\bunion all\b", "except"),
    (r" desc\b", ""),
    (r"\bin \('replace', 'delete'\)", "in ('replace')"),
    (r"\bwhere\b(?=[^\n]+\S)", "where true or "),
)


@dataclass(frozen=True)
class Mutant:
    """One change: `found` on `line` of `path` (below the project) becomes `put`."""

    path: str
    line: int
    found: str
    put: str
    start: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.found.strip()!r} -> {self.put.strip()!r}"

    def apply(self, project: Path) -> str:
        """Change the file in `project`; returns the text that was there."""
        target = project / self.path
        text = target.read_text(encoding="utf-8")
        target.write_text(
            text[: self.start] + self.put + text[self.start + len(self.found) :], encoding="utf-8"
        )
        return text


def mutants_of(project: Path, path: str) -> Iterator[Mutant]:
    """All mutants of one SQL file, in the order of its lines; comments and Jinja tags are left alone."""
    text = (project / path).read_text(encoding="utf-8")
    kept = re.sub(
        r"--[^\n]*|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|'[^'\n]*'(?!, 'delete'\))",
        lambda match: " " * len(match[0]) if "\n" not in match[0] else re.sub(r"[^\n]", " ", match[0]),
        text,
        flags=re.DOTALL,
    )
    found = []
    for pattern, put in CHANGES:
        searched = text if "'" in pattern else kept
        found += [
            Mutant(path, text.count("\n", 0, match.start()) + 1, match[0], put, match.start())
            for match in re.finditer(pattern, searched)
        ]
    yield from sorted(found, key=lambda mutant: (mutant.start, mutant.put))


def sample(mutants: list[Mutant], count: int) -> list[Mutant]:
    """`count` of them, spread evenly over files and lines."""
    if count >= len(mutants):
        return mutants
    return [mutants[index * len(mutants) // count] for index in range(count)]
