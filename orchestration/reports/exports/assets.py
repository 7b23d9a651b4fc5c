"""The exports as a Dagster asset behind the published snapshot."""

import dagster as dg

from orchestration.reports.databases import open_published
from orchestration.reports.exports.export import export_marts
from orchestration.settings import Settings

EXPORTS = dg.AssetKey(["reports", "exports"])
_SNAPSHOT = dg.AssetKey(["published", "snapshot"])


def build_exports_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset `reports/exports`; none when the settings name no format."""
    return [_build_exports_asset(settings)] if settings.export_formats else []


def _build_exports_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=EXPORTS,
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
