"""Build the same charges and usage under other contexts, in a separate database.

The job's own models run on a copy of the working database, so a dry run gives exactly what a run would.
Nothing that readers or runs see is touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse import audit, dbt_results
from orchestration.warehouse.project import PreparedProject, prepare_project
from orchestration.warehouse.working_database import open_warehouse
from orchestration.warehouse.writer import writer_lock

# From the rules to each customer's cost.
_LAYERS = ("rules", "signals", "usage", "context", "allocation", "marts")
# Shares of splits by usage, which do not depend on charges.
LAYERS_OF_SPLITS = ("rules", "signals", "usage")


class DryRunError(ExpectedError):
    """A dry run failed; the message says what to do."""


def build_dry_run(
    settings: Settings,
    contexts: Mapping[str, str],
    folder: Path,
    say: Callable[[str], None],
    layers: Sequence[str] = _LAYERS,
) -> Path:
    """Build the costs under `contexts` (text by shown path), or some `layers`, in an empty `folder`.

    If the last run used the same rules, returns its working database without building anything. Raises
    `ContextProblems`, `NotAuditedError` if the last run did not succeed, and `DryRunError`.
    """
    if not settings.warehouse_file.is_file():
        raise DryRunError(
            f"{settings.warehouse_file} does not exist yet. Run the job first: cpc run --workspace "
            f"{settings.workspace}"
        )
    audit.require_passed(settings)
    dry_run_settings = _settings_of_dry_run(settings, folder)
    for shown, text in contexts.items():
        path = dry_run_settings.contexts / Path(shown).relative_to(Path(shown).parts[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = prepare_project(dry_run_settings)
    with writer_lock(settings).hold(say):
        if _rules_of_last_run(settings) == {project.rules_fingerprint}:
            return settings.warehouse_file
        shutil.copyfile(settings.warehouse_file, dry_run_settings.warehouse_file)
        # The copy's views reference day files that a run would remove after replacing them.
        _run(dry_run_settings, project, folder, layers)
    return dry_run_settings.warehouse_file


def _settings_of_dry_run(settings: Settings, folder: Path) -> Settings:
    """The settings, redirected to the dry run's files."""
    places = {
        "workspace": folder,
        "contexts": folder / settings.contexts.name,
        "landing": settings.landing_folder,
        "warehouse": folder / "dry_run.duckdb",
        "published": folder / "published",
    }
    return Settings(**{**settings.model_dump(), **places})


def _rules_of_last_run(settings: Settings) -> set[str]:
    try:
        with open_warehouse(settings, read_only=True) as warehouse:
            found = warehouse.execute("select distinct rules_fingerprint from built.days").fetchall()
    except duckdb.CatalogException:
        return set()
    return {fingerprint for (fingerprint,) in found}


def _run(settings: Settings, project: PreparedProject, folder: Path, layers: Sequence[str]) -> None:
    models = (
        "changed_days",
        "context_rules",
        *(f"+customer_costs_daily,path:models/{layer}" for layer in layers),
    )
    command = ("run", "--full-refresh", "--select", " ".join(models))
    result = project.dbt(*command, folder=folder / "dbt_run")
    if not result.is_success:
        raise DryRunError(dbt_results.failures_of(settings, result))
