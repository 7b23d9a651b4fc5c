"""What dbt parsed of another version or workspace, made to fit this one: dbt parses only what differs.

Parsing everything takes dbt four seconds of CPU, most of them for files that are part of this program.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # of dbt

PARSED = "partial_parse.msgpack"  # dbt's name
PARSED_WITH = "parsed_with.json"
_PLACES = ("folder", "landing", "warehouse", "days")
_PARSED_KEPT = 3


def fit(parsed: Path, inputs: Mapping[str, Any]) -> tuple[bytes, bool]:
    """The content of `parsed` with the places of `inputs`, and whether nothing but places differs.

    `inputs` are all that dbt parses with: folder, variables, versions. If more differs, dbt has to find what.
    """
    before = json.loads((parsed / PARSED_WITH).read_text(encoding="utf-8"))
    places = {before[name]: str(inputs[name]) for name in _PLACES if name in before}
    content = _moved(msgpack.unpackb((parsed / PARSED).read_bytes(), strict_map_key=False), places)
    packed: bytes = msgpack.packb(content)
    return packed, _moved(before, places) == inputs


def keep(parsed: Path, cache: Path) -> None:
    """Copy a parsed folder into the cache, if it can be written: else the next workspace parses all."""
    if cache.is_dir():
        return
    with contextlib.suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        unfinished = cache.with_name(f".{cache.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(parsed, unfinished, ignore=lambda _, names: set(names) - {PARSED, PARSED_WITH})
        unfinished.rename(cache)
        newest_first = sorted(cache.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest_first[_PARSED_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def _moved(content: Any, places: Mapping[str, str]) -> Any:
    """The content with other places in all of its texts."""
    if isinstance(content, str):
        for old, new in places.items():
            content = content.replace(old, new)
        return content
    if isinstance(content, dict):
        return {key: _moved(value, places) for key, value in content.items()}
    if isinstance(content, list):
        return [_moved(value, places) for value in content]
    return content
