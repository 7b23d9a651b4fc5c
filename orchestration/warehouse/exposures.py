"""dbt exposures, made from the code that reads the marts: what a change of a mart reaches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import yaml

from orchestration.settings import PACKAGE

EXPOSURES_FILE = "models/marts/_exposures.yml"


def exposures_with_marts(files: Mapping[str, str]) -> dict[str, str]:
    """The file of exposures, each with `depends_on`: the marts that the folder in its `meta.read_by` names.

    Without `read_by` an exposure reads every mart, except those in folders, which only a setting makes.
    """
    if EXPOSURES_FILE not in files:
        return {}
    document = yaml.safe_load(files[EXPOSURES_FILE])
    marts = mart_names(files)
    for exposure in document["exposures"]:
        folder = exposure.get("meta", {}).get("read_by")
        read = [mart for mart in marts if folder is None or mart in _names_in(folder)]
        exposure["depends_on"] = [f"ref('{mart}')" for mart in read]
    return {EXPOSURES_FILE: yaml.safe_dump(document, sort_keys=False, allow_unicode=True)}


def mart_names(files: Iterable[str]) -> list[str]:
    """Marts, except those in folders."""
    return sorted(path.split("/")[-1][:-4] for path in files if re.fullmatch(r"models/marts/\w+\.sql", path))


def mart_names_macro(files: Iterable[str]) -> str:
    """The macro that lists the marts for tests of every mart."""
    return f"{{% macro mart_names() %}}{{{{ return({mart_names(files)}) }}}}{{% endmacro %}}\n"


def _names_in(folder: str) -> set[str]:
    """Words in quotes, or after `from` or `join`, in the modules of a folder."""
    found: set[str] = set()
    for path in (PACKAGE.parent / folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r"\"(\w+)\"", text), re.findall(r"\b(?:from|join)\s+(\w+)", text))
    return found
