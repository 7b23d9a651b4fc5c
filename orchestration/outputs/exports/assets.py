"""The exports as a Dagster asset behind the published snapshot."""

import dagster as dg

from orchestration.outputs.databases import open_published
from orchestration.outputs.exports.export import export_marts, was_exported_since
from orchestration.settings import Settings
from orchestration.warehouse.writer import WRITER

EXPORTS = dg.AssetKey(["reports", "exports"])
_SNAPSHOT = dg.AssetKey(["published", "snapshot"])


def build_exports_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset `reports/exports`; none when the settings name no format."""
    return [_build_exports_asset(settings)] if settings.export_formats else []


def exports_are_made(settings: Settings) -> bool:
    """Whether there is an export in the formats of the settings that is newer than the snapshot."""
    if not settings.export_formats:
        return True
    snapshot = settings.published_folder / "current" / "snapshot.json"
    return was_exported_since(settings.export_folder, settings.export_formats, snapshot.stat().st_mtime)


def _build_exports_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=EXPORTS,
        required_resource_keys={WRITER},
        deps=[_SNAPSHOT],
        group_name="reports",
        kinds=set(settings.export_formats),
        description="Every published mart as files by day; only days that changed are written.",
    )
    def exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with open_published(settings) as marts:
            export = export_marts(
                marts, settings.export_folder, settings.export_formats, progress=context.log.debug
            )
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(settings.export_folder / "current"),
                "files_written": export.written,
                "files_kept": export.kept,
                "changed_days": dg.MetadataValue.json(export.changed_days),
            }
        )

    return exports
