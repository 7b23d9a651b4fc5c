"""What the job would make of the same charges and usage with other contexts, built aside in a trial database.

The models are the job's own, run by dbt on a copy of the working database, so that a trial divides to the
last digit as a run would. Nothing that readers or runs see is touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse import audit, dbt_results
from orchestration.warehouse.project import PreparedProject, prepare_project
from orchestration.warehouse.working_database import open_warehouse
from orchestration.warehouse.writer import writer_lock

# From the rules to what each customer cost.
_LAYERS = ("rules", "signals", "usage", "context", "allocation", "marts")
# What decides the shares of splits by usage, before any charge is looked at.
LAYERS_OF_SPLITS = ("rules", "signals", "usage")


class TrialError(ExpectedError):
    """A trial could not be built; the message says what to do."""


@dataclass(frozen=True)
class Trial:
    """A database with `rules`, `context`, `allocation` and `marts.customer_costs_daily` of some contexts."""

    database: Path
    was_built: bool


def build_trial(
    settings: Settings,
    contexts: Mapping[str, str],
    folder: Path,
    say: Callable[[str], None],
    layers: Sequence[str] = _LAYERS,
) -> Trial:
    """The costs with `contexts` (texts by shown path), or some `layers`, in an empty `folder`.

    Where the last run used the very same rules, that is its working database, and nothing is built. Raises
    `ContextProblems`, `NotAuditedError` when the last run has not ended well, `TrialError`.
    """
    if not settings.warehouse_file.is_file():
        raise TrialError(
            f"There is no {settings.warehouse_file} yet. Run the job first: cpc run --workspace "
            f"{settings.workspace}"
        )
    audit.require_passed(settings)
    trial_settings = _settings_of_trial(settings, folder)
    for shown, text in contexts.items():
        path = trial_settings.contexts / Path(shown).relative_to(Path(shown).parts[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = prepare_project(trial_settings)
    with writer_lock(settings).hold(say):
        if _rules_of_last_run(settings) == {project.variables["rules_fingerprint"]}:
            return Trial(settings.warehouse_file, was_built=False)
        shutil.copyfile(settings.warehouse_file, trial_settings.warehouse_file)
        # The copy's views name the files of days that a run would remove once it has replaced them.
        _run(trial_settings, project, folder, layers)
    return Trial(trial_settings.warehouse_file, was_built=True)


def _settings_of_trial(settings: Settings, folder: Path) -> Settings:
    """Everything as it is, but for where it is read from and written to."""
    places = {
        "workspace": folder,
        "contexts": folder / settings.contexts.name,
        "landing": settings.landing_folder,
        "warehouse": folder / "trial.duckdb",
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
    models = ("changed_days", *(f"+customer_costs_daily,path:models/{layer}" for layer in layers))
    command = ("run", "--full-refresh", "--select", " ".join(models))
    result = project.dbt(*command, folder=folder / "dbt_run")
    if not result.is_success:
        raise TrialError(dbt_results.what_failed(settings, result))
