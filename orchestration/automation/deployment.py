"""All assets, checks, jobs, schedules and sensors of one deployment."""

from __future__ import annotations

import logging

import dagster as dg

from orchestration.automation.checks import build_rules_check, build_warnings_check
from orchestration.automation.contexts import build_contexts_checks, contexts_spec, with_problem
from orchestration.automation.conventions import with_conventions
from orchestration.automation.jobs import build_daily_costs_job
from orchestration.automation.partitions import billing_months
from orchestration.automation.schedules import build_daily_schedule
from orchestration.automation.sensors import build_alerts_sensor, build_arrivals_sensor
from orchestration.automation.settings_problems import InvalidSettings, read_or_last, unknown_variables
from orchestration.automation.workspace import prepare_workspace
from orchestration.outputs.exports.assets import build_exports_assets, exports_are_made
from orchestration.outputs.report.assets import build_report_asset, report_is_made
from orchestration.settings import Settings
from orchestration.sources import SOURCES
from orchestration.sources.assets import build_landing_assets, build_notes
from orchestration.sources.billing.landed import require_bills
from orchestration.sources.s3 import S3_KEY, s3_resource
from orchestration.warehouse.assets import SNAPSHOT, build_warehouse_assets
from orchestration.warehouse.project import BrokenProject, PreparedProject, prepare_or_last, prepare_project
from orchestration.warehouse.writer import WRITER, SingleWriter


def build_definitions(settings: Settings) -> dg.Definitions:
    """All assets, checks, jobs, schedules and sensors of one deployment.

    Raises `ContextProblems` when the contexts do not compile.
    """
    prepare_workspace(settings)
    return definitions_of(settings, prepare_project(settings))


def load_definitions() -> dg.Definitions:
    """The same for Dagster's UI and daemon: a typo must not take the whole location down.

    Until it is corrected, the models are those of the contexts that compiled last, the settings those that
    were valid last, descriptions begin with the problem, and nothing can be built.
    """
    settings, problem = read_or_last()
    for line in unknown_variables():
        logging.getLogger("dagster").warning(line)
    prepare_workspace(settings)
    return definitions_of(settings, prepare_or_last(settings, problem))


def definitions_of(settings: Settings, project: PreparedProject | BrokenProject) -> dg.Definitions:
    """The definitions around a project."""
    problem = project.problem if isinstance(project, BrokenProject) else None
    of_settings = problem if isinstance(problem, InvalidSettings) else None
    months = billing_months(settings)
    behind = (lambda: report_is_made(settings), lambda: exports_are_made(settings))
    models = build_warehouse_assets(settings, project, lambda: require_bills(settings), behind)
    assets = [
        *with_problem(of_settings, [build_landing_assets(source, settings, months) for source in SOURCES]),
        build_notes(SOURCES),
        *with_problem(problem, [contexts_spec(), models]),
        *with_problem(of_settings, [build_report_asset(settings, SNAPSHOT), *build_exports_assets(settings)]),
    ]
    return dg.Definitions(
        assets=with_conventions(assets, settings.owners),
        asset_checks=[
            *build_contexts_checks(problem),
            build_warnings_check(settings),
            build_rules_check(settings, project),
        ],
        jobs=[build_daily_costs_job(months, project)],
        schedules=[build_daily_schedule(months)],
        sensors=[build_arrivals_sensor(settings, months, problem), build_alerts_sensor(settings)],
        resources={
            S3_KEY: s3_resource(settings),
            WRITER: SingleWriter.of(settings),
        },
        executor=dg.in_process_executor,
    )
