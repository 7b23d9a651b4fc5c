"""The report as a Dagster asset after the published snapshot."""

# No postponed annotations: Dagster evaluates them when decorating.
import dagster as dg

from orchestration.outputs.report.report import make_report, report_is_made
from orchestration.settings import Settings
from orchestration.warehouse.failures import expected_errors
from orchestration.warehouse.writer import WRITER

__all__ = ["REPORT", "build_report_asset", "report_is_made"]

REPORT = dg.AssetKey(["reports", "customer_cost_report"])


def build_report_asset(settings: Settings, snapshot: dg.AssetKey) -> dg.AssetsDefinition:
    """The asset `reports/customer_cost_report`, built from the published `snapshot`."""

    @dg.asset(
        key=REPORT,
        required_resource_keys={WRITER},
        pool=WRITER,
        deps=[snapshot],
        group_name="reports",
        kinds={"html"},
        description="The published marts as one HTML file for people, which opens without a network.",
    )
    def customer_cost_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with expected_errors():
            report = make_report(settings)
        context.log.info(f"{report.path}: {'made' if report.changed else 'unchanged'}")
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(report.path),
                "link": dg.MetadataValue.url(report.path.as_uri()),
                "bytes": report.size,
                "changed": report.changed,
            }
        )

    return customer_cost_report
