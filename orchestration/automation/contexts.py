"""The contexts in Dagster: an asset, a check that they compile, and the problem if they do not."""

# No postponed annotations: Dagster evaluates them when decorating.
from collections.abc import Iterable

import dagster as dg

from orchestration.settings import ExpectedError
from orchestration.warehouse.dbt_assets import CONTEXTS

CONTEXTS_COMPILE = dg.AssetCheckKey(CONTEXTS, "contexts_compile")


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
    """The assets; with a problem, it stands at the top of their descriptions."""
    if problem is None:
        return list(assets)
    banner = (
        "**Not up to date: runs are refused until this is corrected and the location reloaded.**\n\n"
        f"```\n{problem}\n```\n\nWhat follows is the last version without it.\n\n---\n\n"
    )
    return list(
        dg.map_asset_specs(
            lambda spec: spec.replace_attributes(description=banner + (spec.description or "")), assets
        )
    )


def build_contexts_check(problem: ExpectedError | None) -> dg.AssetChecksDefinition:
    """Fail while the contexts do not compile, with every problem and its place."""

    @dg.asset_check(
        asset=CONTEXTS,
        name=CONTEXTS_COMPILE.name,
        description="The contexts compile. If not, runs are refused, and readers keep the last snapshot.",
    )
    def contexts_compile() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=problem is None, description=str(problem or "") or None)

    return contexts_compile


def contexts_checked(
    instance: dg.DagsterInstance, problem: ExpectedError | None
) -> list[dg.AssetCheckEvaluation]:
    """The evaluation of `contexts_compile`, if it differs from the last recorded one."""
    description = str(problem or "") or None
    recorded = instance.event_log_storage.get_asset_check_execution_history(CONTEXTS_COMPILE, limit=1)
    event = recorded[0].event.dagster_event if recorded and recorded[0].event else None
    last = event.asset_check_evaluation_data.description if event else None
    if last == description:
        return []
    return [
        dg.AssetCheckEvaluation(
            asset_key=CONTEXTS,
            check_name=CONTEXTS_COMPILE.name,
            passed=problem is None,
            metadata={},
            description=description,
        )
    ]
