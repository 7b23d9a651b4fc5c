"""All assets, checks, jobs, schedules and sensors of one deployment, put together."""

from __future__ import annotations

import dagster as dg

from orchestration.automation.checks import build_rules_check, build_warnings_check
from orchestration.automation.jobs import build_daily_costs_job
from orchestration.automation.partitions import billing_months
from orchestration.automation.schedules import build_daily_schedule
from orchestration.automation.sensors import build_alerts_sensor, build_arrivals_sensor
from orchestration.automation.workspace import prepare_workspace
from orchestration.outputs.exports.assets import build_exports_assets, exports_are_made
from orchestration.outputs.report.assets import build_report_asset, report_is_made
from orchestration.settings import Settings
from orchestration.sources.accounts.assets import build_accounts_assets
from orchestration.sources.assets import NOTES
from orchestration.sources.billing.assets import build_billing_assets
from orchestration.sources.customers.assets import build_customers_asset
from orchestration.sources.deployments.assets import build_deployments_assets
from orchestration.sources.inventory.assets import build_inventory_assets
from orchestration.sources.kubernetes.assets import build_kubernetes_assets
from orchestration.sources.revenue.assets import build_revenue_assets
from orchestration.sources.s3 import s3_resource
from orchestration.sources.telemetry.assets import build_telemetry_assets
from orchestration.warehouse.assets import SNAPSHOT, build_warehouse_assets
from orchestration.warehouse.project import prepare_project
from orchestration.warehouse.writer import SingleWriter


def build_definitions(settings: Settings) -> dg.Definitions:
    """All assets, checks, jobs, schedules and sensors of one deployment.

    Raises `ContextProblems` when the contexts do not compile.
    """
    prepare_workspace(settings)
    project = prepare_project(settings)
    months = billing_months(settings)
    behind = (lambda: report_is_made(settings), lambda: exports_are_made(settings))
    return dg.Definitions(
        assets=[
            build_billing_assets(settings, months),
            build_telemetry_assets(settings),
            build_customers_asset(settings),
            build_revenue_assets(settings),
            build_inventory_assets(settings),
            build_accounts_assets(settings),
            build_deployments_assets(settings),
            build_kubernetes_assets(settings),
            NOTES,
            build_warehouse_assets(settings, project, behind),
            build_report_asset(settings, SNAPSHOT),
            *build_exports_assets(settings),
        ],
        asset_checks=[
            build_warnings_check(settings),
            build_rules_check(settings, project.assembled.compilation),
        ],
        jobs=[build_daily_costs_job(months)],
        schedules=[build_daily_schedule(settings)],
        sensors=[build_arrivals_sensor(settings), build_alerts_sensor(settings)],
        resources={
            "s3": s3_resource(settings),
            "io_manager": SingleWriter.of(settings),
        },
        executor=dg.in_process_executor,
    )
