"""The Dagster definitions: puts the lists together, nothing else.

Dagster calls `defs` when it loads or reloads the code location. That compiles the contexts and parses the dbt
project when either has changed, so an edited YAML is in effect after "Reload".
"""

from __future__ import annotations

import dagster as dg

from orchestration.checks import build_rules_check, build_warnings_check
from orchestration.jobs import build_daily_costs_job
from orchestration.partitions import billing_months
from orchestration.reports.exports.assets import build_exports_assets, exports_are_made
from orchestration.reports.html.assets import build_report_asset, report_is_made
from orchestration.schedules import build_daily_schedule
from orchestration.sensors import build_alerts_sensor, build_arrivals_sensor
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
from orchestration.workspace import prepare_workspace


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


@dg.definitions
def defs() -> dg.Definitions:
    """The deployment that the environment and the workspace's settings describe."""
    return build_definitions(Settings())
