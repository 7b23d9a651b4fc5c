"""Hand-written dbt models as SQL of their own, to be run on small tables without a run of dbt.

What belongs here: rendering the project's own files. What does not: any copy of what they say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import duckdb
from jinja2 import Environment

from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS
from orchestration.settings import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "dbt_project"
DIMENSIONS = ["environment", "feature"]
# What the settings give to dbt: an hourly mart of all days.
VARIABLES = {"hourly_costs_days": 1000, "run_day": "2026-11-29"}

_MACRO = re.compile(r"\{%-? macro (\w+)\(.*?\{%-? endmacro -?%\}", re.DOTALL)
# How dbt builds, not what a model says.
_NOT_OF_MODELS = ("by_day", "changed_days", "generate_schema_name", "inputs_by_day", "keys")


@cache
def rendered(model: str) -> str:
    """The SQL of a model, given as `usage/usage_by_period`; references are the plain names of models."""
    text = (PROJECT / "models" / f"{model}.sql").read_text(encoding="utf-8")
    return _environment().from_string(_macros_of(text) + text).render()


def build(connection: duckdb.DuckDBPyConnection, model: str) -> None:
    """Make a model as a table, and before it what it reads and is not there, from the project's files."""
    there = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
    if model in there:
        return
    seed = PROJECT / "seeds" / f"{model}.csv"
    if seed.exists():
        connection.execute(f"create table {model} as from read_csv('{seed}', all_varchar = true)")
        return
    (path,) = (PROJECT / "models").rglob(f"{model}.sql")
    text = path.read_text(encoding="utf-8")
    for needed in re.findall(r'ref\("(\w+)"', text + _macros_named_in(text)):
        build(connection, needed)
    folder = path.relative_to(PROJECT / "models").parent
    connection.execute(f"create table {model} as {rendered(f'{folder}/{model}')}")


def _macros_named_in(text: str) -> str:
    """The macros that a model uses and that read models themselves."""
    return "".join(
        match[0] for match in _MACRO.finditer(_macro_texts()) if f"{match[1]}(" in text and "ref(" in match[0]
    )


@cache
def _macro_texts() -> str:
    return "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((PROJECT / "macros").glob("*.sql"))
        if path.stem not in _NOT_OF_MODELS
    )


def _macros_of(text: str) -> str:
    """The macros that a text uses, and those that they use.

    Without those that return a value: dbt stops rendering there, and jinja does not.
    """
    named = {match[1]: match[0] for match in _MACRO.finditer(_macro_texts()) if "return(" not in match[0]}
    used, to_search = set(), [text]
    while to_search:
        searched = to_search.pop()
        found = {name for name in named if name not in used and re.search(rf"\b{name}\(", searched)}
        used |= found
        to_search += [named[name] for name in found]
    return "".join(text for name, text in named.items() if name in used)


@cache
def _environment() -> Environment:
    environment = Environment(extensions=["jinja2.ext.do"])

    def reference(*names: str, **_: Any) -> str:
        return names[-1]

    def nothing(*_: Any, **__: Any) -> str:
        return ""

    reserved = ", ".join(f"'{name}'" for name in RESERVED_CUSTOMERS)
    environment.globals.update(
        ref=reference,
        source=reference,
        config=nothing,
        var=lambda name, default=None: VARIABLES.get(name, default),
        is_incremental=lambda: False,
        execute=False,
        run_started_at=datetime(2000, 1, 1),
        dimension_names=lambda: DIMENSIONS,
        reserved_customers=lambda: f"({reserved})",
    )
    for match in _MACRO.finditer(_macro_texts()):
        if "return(" in match[0]:
            environment.globals[match[1]] = _returning(environment, match[1], match[0])
    return environment


def _returning(environment: Environment, name: str, text: str) -> Callable[..., Any]:
    """A macro that returns a value, as a function."""

    def call(*arguments: Any) -> Any:
        returned: list[Any] = []
        environment.from_string(f"{text}{{{{ {name}(*arguments) }}}}").render(
            {"return": lambda value: returned.append(value) or "", "arguments": arguments}
        )
        return returned[0]

    return call
