"""Sensors: start a run when data arrives, and send alerts for new anomalies."""

# No postponed annotations: Dagster evaluates them when decorating.
import hashlib
import json
from datetime import UTC, datetime

import dagster as dg

from orchestration.automation.contexts import contexts_checked
from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.partitions import (
    MONTH_FORMAT,
    month_range_tags,
    months_of,
    note_months,
    open_months,
)
from orchestration.outputs.alerts.channels import channels_of
from orchestration.outputs.alerts.sending import send_alerts
from orchestration.outputs.read_only import NotReadableError
from orchestration.settings import ExpectedError, Settings
from orchestration.sources import SOURCES
from orchestration.sources.locations import LocationError, open_location
from orchestration.sources.s3 import S3
from orchestration.sources.source import OpenLocation
from orchestration.warehouse.writer import close_dead_run, writer_lock

_NOT_YET_RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
]


def build_arrivals_sensor(
    settings: Settings, months: dg.MonthlyPartitionsDefinition, problem: ExpectedError | None
) -> dg.SensorDefinition:
    """One run for everything that arrived in any source since the last tick.

    While the contexts have a `problem` it starts none, so that after the correction nothing has been missed.
    """

    first = f"{months.start:{MONTH_FORMAT}}"

    @dg.sensor(
        name="arrivals",
        job_name=DAILY_COSTS,
        minimum_interval_seconds=60,
        description="Starts a run when a source has new or changed files (of reports: manifests).",
    )
    def arrivals(context: dg.SensorEvaluationContext, s3: S3) -> dg.SensorResult | dg.SkipReason:
        close_dead_run(context.instance, writer_lock(settings).dead_holder())
        checked = contexts_checked(context.instance, problem)
        if problem:
            return dg.SensorResult(skip_reason=f"No run starts: {problem}", asset_events=checked)
        try:
            seen = digests_of_arrivals(settings, lambda place: open_location(place, s3.get_client))
        except LocationError as error:
            return dg.SkipReason(f"Cannot list the sources: {error}")
        before = json.loads(context.cursor) if context.cursor else {}
        changed = [place for place in seen if seen[place] != before.get(place)]
        early = [place for place in changed if min(months_of([place]), default=first) < first]
        if early and not settings.first_billing_month:
            context.log.warning(f"Reload the location to read {', '.join(early)}: older than {first}")
            note_months(settings, months_of(early))
            seen = {place: digest for place, digest in seen.items() if place not in early}
        changed = [place for place in changed if place not in early]
        if not changed:
            return dg.SensorResult(skip_reason="Nothing new", asset_events=checked)
        cursor = json.dumps(seen)
        waiting = dg.RunsFilter(job_name=DAILY_COSTS, statuses=_NOT_YET_RUNNING)
        if context.instance.get_runs_count(waiting):
            # That run has not listed the sources yet, so it will find these arrivals too.
            return dg.SensorResult(
                skip_reason="A queued run will read the new data", cursor=cursor, asset_events=checked
            )
        context.log.info(f"New or changed: {', '.join(changed)}")
        request = dg.RunRequest(
            run_key=hashlib.sha256(cursor.encode()).hexdigest(),
            tags=month_range_tags(months, {*open_months(months, datetime.now(UTC)), *months_of(changed)}),
        )
        return dg.SensorResult(run_requests=[request], cursor=cursor, asset_events=checked)

    return arrivals


def build_alerts_sensor(settings: Settings) -> dg.SensorDefinition:
    """Sends every new anomaly in the published marts to the configured receivers, once."""
    channels = channels_of(settings)

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if channels else dg.DefaultSensorStatus.STOPPED,
        description="Sends alerts for new anomalies by webhook, mail and other services; starts no run.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not channels:
            return dg.SkipReason("No receiver: set alert_webhook_url, alert_mail or alert_urls")
        try:
            result = send_alerts(settings, channels, datetime.now(UTC), context.log.warning)
        except NotReadableError as error:
            return dg.SkipReason(str(error))
        if result.busy:
            return dg.SkipReason("Another process is sending alerts")
        return dg.SkipReason(f"Alerts sent: {result.delivered}, failed: {result.failed}")

    return alerts


def digests_of_arrivals(settings: Settings, open_location: OpenLocation) -> dict[str, str]:
    """A digest of the sources' content, by place: `bill <export> <month>`, `telemetry` and the like.

    Raises `LocationError` if a location cannot be listed.
    """
    return {
        place: digest
        for source in SOURCES
        for place, digest in source.arrived(settings, open_location).items()
    }
