"""Validate regular expressions with RE2 itself, before the warehouse would reject them during a run.

Arrow ships the same RE2 library as DuckDB; Python's `re` has another dialect.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def pattern_problem(pattern: str) -> str | None:
    """RE2's objection to `pattern`, or None."""
    try:
        pc.match_substring_regex(pa.scalar(""), pattern=pattern)
    except pa.ArrowInvalid as error:
        return _reason(error)
    return None


def replacement_problem(pattern: str, replacement: str) -> str | None:
    """RE2's objection to `replacement` for a valid `pattern`, or None."""
    try:
        pc.replace_substring_regex(pa.scalar(""), pattern=pattern, replacement=replacement)
    except pa.ArrowInvalid as error:
        return _reason(error)
    return None


def _reason(error: pa.ArrowInvalid) -> str:
    """RE2's own message, without the wrapping of Arrow and C++."""
    words = str(error).split(": ", 1)[-1]
    for prefix in ("Rewrite schema error: ", "Rewrite schema "):
        words = words.removeprefix(prefix)
    return words.rstrip(".")
