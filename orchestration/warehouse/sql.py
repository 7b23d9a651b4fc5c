"""Values and names as SQL text, where a statement takes no parameters."""

from __future__ import annotations


def literal(value: object) -> str:
    """A text, or what has one (such as a path), as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
