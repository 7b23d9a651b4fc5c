"""Compiled queries as a single SQL statement, for a connection without dbt.

Compiled queries refer to other models through dbt. Models that depend on the contexts are inlined as
subqueries, so contexts can be tried before any run has used them; all others are tables of the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from orchestration.compiler import Compilation
from orchestration.settings import PROJECT_ROOT

_REFERENCE = re.compile(r"""\{\{ ref\(['"]([a-z0-9_]+)['"]\) \}\}""")
_CONFIG = re.compile(r"\A\{\{.*?\}\}\n", re.DOTALL)
# Hand-written models that contain only references and depend on the rules; compiled for each query.
_MADE_OF_RULES = {
    "account_facts": "models/signals/account_facts.sql",
    "resource_facts": "models/signals/resource_facts.sql",
    "split_parts": "models/usage/split_parts.sql",
}


def standalone(sql: str, compilation: Compilation, table_of: Callable[[str], str]) -> str:
    """`sql` with references replaced; `table_of` names the table of a model independent of the contexts."""

    def replaced(reference: re.Match[str]) -> str:
        model = reference[1]
        rules = compilation.files.get(f"models/rules/{model}.sql")
        written = _MADE_OF_RULES.get(model)
        if rules is not None:
            return _subquery(_without_config(rules))
        if written is not None:
            return _subquery(standalone(_written(written), compilation, table_of))
        return table_of(model)

    return _REFERENCE.sub(replaced, sql)


def _subquery(sql: str) -> str:
    return f"(\n{sql}\n)"


@cache
def _written(path: str) -> str:
    return _without_config((PROJECT_ROOT / "dbt_project" / path).read_text(encoding="utf-8"))


def _without_config(model: str) -> str:
    return _CONFIG.sub("", model)
