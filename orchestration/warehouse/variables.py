"""The variables of every dbt command, and dbt's project files with their values filled in.

Runs pass them as arguments. Filled in, plain dbt and editors can use the project: dbt reads the variables of
its own project file from the command line only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from orchestration.compiler.language.program import Feedback
from orchestration.settings import Settings

PROJECT, PROFILES, FOCUS = "dbt_project.yml", "profiles.yml", "models/marts/focus_customer_costs.yml"


Variable = str | int | list[tuple[str, str, str]]


def variables_of(settings: Settings, feedback: Iterable[Feedback] = ()) -> dict[str, Variable]:
    """The variables of every dbt command, from the settings and the contexts' verdicts on anomalies."""
    variables: dict[str, Variable] = {
        "landing": str(settings.landing_folder),
        "warehouse": str(settings.warehouse_file),
        "days": str(settings.days_folder),
        "batch_rows": settings.batch_rows,
        "explanations_days": settings.explanations_days,
        "hourly_costs_days": settings.hourly_costs_days,
        "resource_costs_days": settings.resource_costs_days,
        "product_dimension": settings.product_dimension,
        "focus_version": settings.focus_version,
        "reporting_currency": settings.reporting_currency,
        "exchange_rate_days": settings.exchange_rate_days,
        "anomaly_dimension": settings.anomaly_dimension,
        "anomaly_hourly_series": settings.anomaly_hourly_series,
        # No cost depends on it: a new verdict recomputes no day.
        "anomaly_feedback": [(each.anomaly_id, each.verdict, each.note) for each in feedback],
    }
    if settings.duckdb_threads:
        variables["duckdb_threads"] = settings.duckdb_threads
    if settings.duckdb_memory_limit:
        variables["duckdb_memory_limit"] = settings.duckdb_memory_limit
    return variables


def filled_in(
    written: Mapping[str, str], settings: Settings, feedback: Iterable[Feedback] = ()
) -> dict[str, str]:
    """dbt's project and profiles file with the values of the variables, by name, and the columns of FOCUS."""
    variables = json.loads(json.dumps(variables_of(settings, feedback)))
    text = re.sub(
        r"\"\{\{ var\('(\w+)'\) \}\}\"", lambda found: json.dumps(variables[found[1]]), written[PROJECT]
    )
    project = yaml.safe_load(text)
    project["vars"] |= variables
    profiles = yaml.safe_load(written[PROFILES])
    for output in profiles[project["profile"]]["outputs"].values():
        output["path"] = str(settings.warehouse_file)
    focus = yaml.safe_load(written[FOCUS])
    (model,) = focus["models"]
    model["columns"] = [column for column in model["columns"] if _is_in(settings.focus_version, column)]
    return {
        name: yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        for name, document in ((PROJECT, project), (PROFILES, profiles), (FOCUS, focus))
    }


def _is_in(focus_version: str, column: Mapping[str, Any]) -> bool:
    versions = column.get("config", {}).get("meta", {})
    return str(versions.get("since", "1.0")) <= focus_version <= str(versions.get("until", focus_version))
