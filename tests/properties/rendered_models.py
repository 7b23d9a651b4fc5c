"""Hand-written dbt models as SQL of their own, to be run on small tables without a run of dbt.

What belongs here: rendering the project's own files. What does not: any copy of what they say.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment

from orchestration.settings import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "dbt_project"


def rendered(model: str) -> str:
    """The SQL of a model, given as `usage/usage_by_period`; references are the plain names of models."""
    text = (PROJECT / "models" / f"{model}.sql").read_text(encoding="utf-8")
    return _environment().from_string(_macros() + text).render()


@cache
def _macros() -> str:
    return "".join(
        (PROJECT / "macros" / f"{name}.sql").read_text(encoding="utf-8")
        for name in ("anomaly_series", "customer_aliases", "exact_arithmetic", "judged_usage")
    )


@cache
def _environment() -> Environment:
    environment = Environment(extensions=["jinja2.ext.do"])

    def reference(*names: str) -> str:
        return names[-1]

    def nothing(*_: Any, **__: Any) -> str:
        return ""

    environment.globals.update(
        ref=reference, source=reference, config=nothing, is_incremental=lambda: False, execute=False
    )
    return environment
