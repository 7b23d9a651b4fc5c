"""The dbt models and the published snapshot as Dagster assets, built by one step.

They cannot be built in part: how Dagster splits a selection into runs is its own decision (a backfill of all
assets splits it at the partitions), and a mix of old and new marts is meaningless.
"""

# No postponed annotations: Dagster evaluates them when decorating.
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.settings import Settings
from orchestration.warehouse import audit, dbt_assets, dbt_results, publish, snapshots, tables
from orchestration.warehouse.column_lineage import lineage_of_marts
from orchestration.warehouse.dbt import DbtResult, Event
from orchestration.warehouse.failures import expected_errors
from orchestration.warehouse.made_from import digest_of_models, is_published, state_of_database
from orchestration.warehouse.project import BrokenProject, PreparedProject
from orchestration.warehouse.writer import WRITER

_SECONDS_BETWEEN_LOGS = 1
SNAPSHOT = dg.AssetKey(["published", "snapshot"])


def build_warehouse_assets(
    settings: Settings,
    project: PreparedProject | BrokenProject,
    require_input: Callable[[], None] = lambda: None,
    behind: Sequence[Callable[[], bool]] = (),
) -> dg.AssetsDefinition:
    """All dbt models, with their tests as checks, and `published/snapshot` after the marts: all or none.

    If the published snapshot was built from identical inputs, and everything `behind` it exists too, nothing
    is built, and later steps are skipped. It refuses to build without what `require_input` asks for.
    """
    models = dbt_assets.model_specs(project.manifest)
    checks = dbt_assets.check_specs(project.manifest)
    marts = [spec.key for spec in models if spec.group_name == "marts"]

    @dg.multi_asset(
        name="dbt_models",
        required_resource_keys={WRITER},
        pool=WRITER,
        specs=[*models, _snapshot_spec(marts)],
        check_specs=checks,
        can_subset=False,
        allow_arbitrary_check_specs=True,
    )
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with expected_errors():
            require_input()
        assert isinstance(project, PreparedProject)  # a broken one is not run
        made_from = digest_of_models(settings, {**project.variables, "rules": project.rules_fingerprint})
        check_all = audit.CHECK_ALL_TAG in context.run.tags
        if not check_all and is_published(settings, made_from) and all(made() for made in behind):
            yield from _nothing_to_do(settings, checks)
            return
        progress = _Progress(context.log.info)
        with expected_errors(), _shared_workspace(settings, context.log.info) as shared:
            audit.begin_writing(settings)
            with audit.full_check(settings, asked=check_all):
                folder = project.artifacts_of_run(context.run.run_id)
                result = _build(settings, project, folder, progress)
            progress.log_lines()
            yield from _results(settings, project, result)
            if not result.is_success:
                raise dg.Failure(dbt_results.failures_of(settings, result), allow_retries=False)
            audit.passed(settings, context.run.run_id, made_from)
            yield _published(settings, context, shared)

    return dbt_models


def _nothing_to_do(settings: Settings, checks: Sequence[dg.AssetCheckSpec]) -> Iterator[Any]:
    # Dagster requires a result for every check; a published snapshot has passed all of them.
    for check in checks:
        description = "Passed when it was made; nothing has changed since."
        yield dg.AssetCheckResult(
            passed=True, asset_key=check.asset_key, check_name=check.name, description=description
        )
    folder = (settings.published_folder / "current").resolve()
    yield dg.AssetObservation(
        SNAPSHOT,
        description="Nothing has changed since this snapshot was published.",
        metadata={
            "snapshot": folder.name,
            "changed": False,
            "path": dg.MetadataValue.path(settings.published_folder / "current.duckdb"),
        },
    )


class _Progress:
    """dbt's progress: the result of every model and test, also logged in Dagster.

    Lines are batched for about a second: each entry of Dagster's log is its own transaction.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._lines: list[str] = []
        self._logged_at = time.monotonic()

    def on_event(self, event: Event) -> None:
        """Handle one event."""
        if dbt_results.is_progress(event):
            self.say(dbt_results.line(event))

    def say(self, line: str) -> None:
        """Log a line, with others of about the same second."""
        self._lines.append(line)
        if time.monotonic() - self._logged_at > _SECONDS_BETWEEN_LOGS:
            self.log_lines()

    def log_lines(self) -> None:
        """Log the lines since the last call."""
        if self._lines:
            self._log("\n".join(self._lines))
        self._lines, self._logged_at = [], time.monotonic()


@contextmanager
def _shared_workspace(settings: Settings, say: Callable[[str], None]) -> Iterator[Any]:
    """The storage that drivers share, with what the last one left; None if the settings name none."""
    if settings.engine != "spark" or not settings.spark.storage:
        yield None
        return
    from orchestration.warehouse.spark.shared import hold_shared

    with hold_shared(settings, say) as shared:
        shared.restore(say)
        yield shared


def _build(settings: Settings, project: PreparedProject, folder: Path, progress: _Progress) -> DbtResult:
    """dbt's build, with the days on Spark if the settings say so."""
    if settings.engine == "spark":
        from orchestration.warehouse.spark.build import build_on_spark

        return build_on_spark(settings, project, folder, progress.on_event, progress.say)
    # Unit tests are of the SQL, not of the data.
    command = ("build", "--exclude-resource-type", "unit_test")
    return project.dbt(*command, folder=folder, on_event=progress.on_event)


def _results(settings: Settings, project: PreparedProject, result: DbtResult) -> Iterator[Any]:
    """Results of every node, with counts and previews of its table, queried once for all: the database
    belongs to dbt until dbt has ended.
    """
    ended = [(each, node) for each in result.nodes if (node := dbt_assets.node_of(project.manifest, each))]
    made = [(node["schema"], node["alias"]) for _, node in ended]
    described = tables.describe(settings, [tables.CHANGED_DAYS, *made])
    days = described[tables.CHANGED_DAYS].days_by_reason if tables.CHANGED_DAYS in described else {}
    lineage = {}
    if settings.column_lineage:
        lineage = lineage_of_marts(settings, project.manifest, [each.node for each, _ in ended])
    for (each, node), table in zip(ended, made, strict=True):
        metadata = _as_metadata(described[table]) if table in described else {}
        if metadata and (table == tables.CHANGED_DAYS or _is_kept_by_day(node)):
            metadata["days_recomputed"] = sum(days.values())
        if node["name"] in lineage:
            metadata["dagster/column_lineage"] = lineage[node["name"]]
        event = dbt_assets.result_of(project.manifest, node, each, metadata)
        if event is not None:
            yield event


def _is_kept_by_day(node: Mapping[str, Any]) -> bool:
    """Whether the model is kept by day."""
    config = node["config"]
    return config["materialized"] == "by_day" and "period" not in config


def _as_metadata(found: tables.TableDescription) -> dict[str, Any]:
    metadata: dict[str, Any] = {"dagster/row_count": found.rows}
    if found.preview:
        metadata["preview"] = dg.MetadataValue.md(found.preview)
    if found.days_by_reason:
        by_reason = tables.markdown(["what differs", "days"], found.days_by_reason.items())
        metadata["days_by_reason"] = dg.MetadataValue.md(by_reason)
    return metadata


def _snapshot_spec(marts: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        SNAPSHOT,
        deps=marts,
        skippable=True,
        group_name="published",
        kinds={"duckdb", "parquet"},
        description=(
            "What readers open: the marts as a read-only DuckDB file and as Parquet, swapped in at once "
            "after every check has passed."
        ),
    )


def _published(
    settings: Settings, context: dg.AssetExecutionContext, shared: Any
) -> dg.MaterializeResult[None]:
    published = publish.publish(settings, datetime.now(UTC))
    if shared is not None:
        shared.commit(published)
    audit.published(settings, published.folder.name, state_of_database(settings))
    state = "published" if published.changed else "unchanged, readers keep the one they have"
    context.log.info(f"Snapshot {published.folder.name}: {state}")
    return dg.MaterializeResult(
        asset_key=SNAPSHOT,
        metadata={
            "snapshot": published.folder.name,
            "changed": published.changed,
            "path": dg.MetadataValue.path(settings.published_folder / "current.duckdb"),
            "marts": dg.MetadataValue.md(_rows_of_marts(published)),
        },
    )


def _rows_of_marts(published: snapshots.Snapshot) -> str:
    lines = [
        f"| {mart} | {'view' if content.rows is None else f'{content.rows:,}'} |"
        for mart, content in sorted(published.marts.items())
    ]
    return "\n".join(["| mart | rows |", "| --- | ---: |", *lines])
