"""The files that people write, in Dagster: an asset, checks that they are valid, and what is wrong if not."""

# No postponed annotations: Dagster evaluates them when decorating.
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from orchestration.automation.settings_problems import InvalidSettings
from orchestration.settings import ExpectedError
from orchestration.warehouse.dbt_assets import CONTEXTS

CONTEXTS_COMPILE = dg.AssetCheckKey(CONTEXTS, "contexts_compile")
SETTINGS_ARE_VALID = dg.AssetCheckKey(CONTEXTS, "settings_are_valid")
_CHECKS = {
    CONTEXTS_COMPILE: "The contexts compile. If not, no run starts, and readers keep the last snapshot.",
    SETTINGS_ARE_VALID: "The settings are valid. If not, no run starts, and the last valid ones shown.",
}


def contexts_spec() -> dg.AssetSpec:
    """The YAML files that people write."""
    return dg.AssetSpec(
        CONTEXTS,
        group_name="contexts",
        kinds={"yaml"},
        description="What charges are for and who pays for them, written by people. A reload applies edits.",
    )


def with_problem(
    problem: ExpectedError | None, assets: Iterable[dg.AssetsDefinition | dg.AssetSpec]
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets; with a problem, it stands at the top of their descriptions, and they refuse to run."""
    if problem is None:
        return list(assets)
    banner = (
        "**Not up to date: no run starts until this is corrected and the location reloaded.**\n\n"
        f"```\n{problem}\n```\n\nWhat follows is the last version without it.\n\n---\n\n"
    )
    return list(
        dg.map_asset_specs(
            lambda spec: spec.replace_attributes(description=banner + (spec.description or "")),
            [_refused(each, problem) if isinstance(each, dg.AssetsDefinition) else each for each in assets],
        )
    )


def _refused(assets: dg.AssetsDefinition, problem: ExpectedError) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=assets.node_def.name,
        specs=list(assets.specs),
        check_specs=list(assets.check_specs),
        can_subset=assets.can_subset,
        allow_arbitrary_check_specs=True,
    )
    def refuse() -> Iterator[Any]:
        yield from ()  # Dagster takes several results from generators only
        raise dg.Failure(str(problem), allow_retries=False)

    return refuse


def build_contexts_checks(problem: ExpectedError | None) -> list[dg.AssetChecksDefinition]:
    """Fail while contexts do not compile or settings are invalid, with every problem and its place."""
    return [_build_check(key, _problem_of(key, problem)) for key in _CHECKS]


def _build_check(key: dg.AssetCheckKey, problem: str | None) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=CONTEXTS, name=key.name, description=_CHECKS[key])
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=problem is None, description=problem)

    return check


def contexts_checked(
    instance: dg.DagsterInstance, problem: ExpectedError | None
) -> list[dg.AssetCheckEvaluation]:
    """The evaluations of these checks that differ from the last recorded ones."""
    changed = []
    for key in _CHECKS:
        description = _problem_of(key, problem)
        recorded = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        event = recorded[0].event.dagster_event if recorded and recorded[0].event else None
        if description != (event.asset_check_evaluation_data.description if event else None):
            changed.append(
                dg.AssetCheckEvaluation(
                    asset_key=CONTEXTS,
                    check_name=key.name,
                    passed=description is None,
                    metadata={},
                    description=description,
                )
            )
    return changed


def _problem_of(key: dg.AssetCheckKey, problem: ExpectedError | None) -> str | None:
    concerns_settings = isinstance(problem, InvalidSettings)
    return str(problem) if problem and concerns_settings == (key == SETTINGS_ARE_VALID) else None
