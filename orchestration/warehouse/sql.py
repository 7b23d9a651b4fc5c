"""SQL literals and identifiers, for statements without parameters."""

from __future__ import annotations


def literal(value: object) -> str:
    """Text (or a path) as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
