"""Asks RE2 itself whether it takes a pattern, before the warehouse would refuse it in the middle of a run.

Arrow carries the same RE2 library that DuckDB has; Python's `re` speaks another dialect.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def pattern_problem(pattern: str) -> str | None:
    """What RE2 has against `pattern`, or None when it takes it."""
    try:
        pc.match_substring_regex(pa.scalar(""), pattern=pattern)
    except pa.ArrowInvalid as error:
        return _reason(error)
    return None


def replacement_problem(pattern: str, replacement: str) -> str | None:
    """What RE2 has against `replacement` for what a (good) `pattern` matches, or None."""
    try:
        pc.replace_substring_regex(pa.scalar(""), pattern=pattern, replacement=replacement)
    except pa.ArrowInvalid as error:
        return _reason(error)
    return None


def _reason(error: pa.ArrowInvalid) -> str:
    """RE2's own words, without those of Arrow and of its C++ interface around them."""
    words = str(error).split(": ", 1)[-1]
    for prefix in ("Rewrite schema error: ", "Rewrite schema "):
        words = words.removeprefix(prefix)
    return words.rstrip(".")
