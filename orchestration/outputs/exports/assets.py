"""The exports as a Dagster asset after the published snapshot."""

# No postponed annotations: Dagster evaluates them when decorating.
from typing import Any

import dagster as dg

from orchestration.outputs.exports.databases import databases_of, export_to_database, is_exported
from orchestration.outputs.exports.files import export_marts, was_exported_since
from orchestration.outputs.read_only import open_published
from orchestration.settings import Settings
from orchestration.warehouse.failures import expected_errors
from orchestration.warehouse.writer import WRITER

EXPORTS = dg.AssetKey(["reports", "exports"])
_SNAPSHOT = dg.AssetKey(["published", "snapshot"])


def build_exports_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset `reports/exports`, if any export is configured."""
    return [_build_exports_asset(settings)] if settings.export_formats or databases_of(settings) else []


def exports_are_made(settings: Settings) -> bool:
    """Whether the published snapshot has been exported to every configured target."""
    snapshot = settings.published_folder / "current" / "snapshot.json"
    formats = settings.export_formats
    return (
        not formats or was_exported_since(settings.export_folder, formats, snapshot.stat().st_mtime)
    ) and all(is_exported(name, settings) for name in databases_of(settings))


def _build_exports_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=EXPORTS,
        required_resource_keys={WRITER},
        pool=WRITER,
        deps=[_SNAPSHOT],
        group_name="reports",
        kinds={*settings.export_formats, *databases_of(settings)},
        description="Every published mart as files by day, Postgres tables or Iceberg tables, as the "
        "settings say. Only days that changed are written.",
    )
    def exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        metadata: dict[str, Any] = {}
        with expected_errors(), open_published(settings) as marts:
            if settings.export_formats:
                files = export_marts(
                    marts, settings.export_folder, settings.export_formats, progress=context.log.debug
                )
                metadata |= {
                    "path": dg.MetadataValue.path(settings.export_folder / "current"),
                    "files_written": files.written,
                    "files_kept": files.kept,
                    "changed_days": dg.MetadataValue.json(files.changed_days),
                }
            for name in databases_of(settings):
                done = export_to_database(name, marts, settings, progress=context.log.debug)
                metadata[f"days_written_to_{name}"] = dg.MetadataValue.json(dict(done.written))
        return dg.MaterializeResult(metadata=metadata)

    return exports
