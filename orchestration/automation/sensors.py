"""The sensors: runs that an arrival starts, and messages about what a run has found.

What belongs here: noticing that there is something new, from a listing or the published marts. What does not:
reading it, which is the run's work and finds out by itself what has changed, and sending (`outputs/alerts`).
"""

# Dagster reads annotations when it meets a function, so they are not postponed here.
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import dagster as dg

from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.partitions import current_and_previous_month, month_range_tags
from orchestration.outputs.alerts.channels import channels_of
from orchestration.outputs.alerts.sending import tell
from orchestration.outputs.databases import NotReadableError
from orchestration.settings import Settings
from orchestration.sources.billing.azure_export import find_runs, without_runs
from orchestration.sources.billing.manifest import read_listing
from orchestration.sources.locations import LocationError, S3Client, StoredObject, open_location
from orchestration.sources.s3 import S3
from orchestration.warehouse.writer import close_dead_run, writer_lock

_MONTH = re.compile(r"\d{4}-\d{2}")
_NOT_YET_RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
]


def build_arrivals_sensor(settings: Settings) -> dg.SensorDefinition:
    """One run for everything that arrived since the last look: manifests, bare bills, batches, customer
    lists.
    """

    @dg.sensor(
        name="arrivals",
        job_name=DAILY_COSTS,
        minimum_interval_seconds=60,
        description="Starts a run when a manifest, a telemetry batch or a customer list is new or changed.",
    )
    def arrivals(context: dg.SensorEvaluationContext, s3: S3) -> dg.SensorResult | dg.SkipReason:
        close_dead_run(context.instance, writer_lock(settings).dead_holder())
        try:
            seen = look(settings, s3.get_client)
        except LocationError as error:
            return dg.SkipReason(f"Cannot look: {error}")
        before = json.loads(context.cursor) if context.cursor else {}
        changed = [place for place in seen if seen[place] != before.get(place)]
        if not changed:
            return dg.SkipReason("Nothing new")
        cursor = json.dumps(seen)
        waiting = dg.RunsFilter(job_name=DAILY_COSTS, statuses=_NOT_YET_RUNNING)
        if context.instance.get_runs_count(waiting):
            # That run has not listed anything yet: it will find these arrivals too.
            return dg.SensorResult(skip_reason="A run that will read what is new is waiting", cursor=cursor)
        context.log.info(f"New or changed: {', '.join(changed)}")
        request = dg.RunRequest(run_key=_digest([cursor]), tags=month_range_tags(settings, _months(changed)))
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return arrivals


def build_alerts_sensor(settings: Settings) -> dg.SensorDefinition:
    """Tells the receivers in the settings of every new anomaly in the published marts, once."""
    channels = channels_of(settings)

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if channels else dg.DefaultSensorStatus.STOPPED,
        description="Tells of new anomalies by webhook, Slack and mail, as the settings say; starts no run.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not channels:
            return dg.SkipReason("No receiver: set alert_webhook_url, alert_slack_url or alert_mail")
        try:
            told = tell(settings, channels, datetime.now(UTC), context.log.warning)
        except NotReadableError as error:
            return dg.SkipReason(str(error))
        if told.busy:
            return dg.SkipReason("Another process is telling")
        return dg.SkipReason(f"Told {told.delivered}, could not tell {told.failed}")

    return alerts


def look(settings: Settings, s3_client: Callable[[], S3Client]) -> dict[str, str]:
    """A digest of what lies in each place now; places are `bill <export> <month>`, `telemetry` and the like.

    Raises `LocationError` when a location refuses.
    """
    seen: dict[str, str] = {}
    for export in settings.exports:
        objects = list(open_location(export.location, s3_client).list())
        runs = find_runs(objects)
        listing = read_listing(without_runs(objects, runs))
        manifests: dict[str, list[StoredObject]] = {}
        for manifest in listing.manifests:
            manifests.setdefault(manifest.month, []).append(manifest.stored)
        for run in runs:
            manifests.setdefault(run.month or run.dates, []).append(run.stored)
        for period, stored in manifests.items():
            seen[f"bill {export.name} {period}"] = _digest_of(stored)
        if listing.bare_files:
            seen[f"bill {export.name} files"] = _digest_of(listing.bare_files)
    places = {
        "telemetry": settings.telemetry,
        "customers": settings.customers,
        "revenue": settings.revenue,
        "inventory": settings.inventory,
        "accounts": settings.accounts,
        "deployments": settings.deployments,
        "opencost": settings.opencost,
    }
    for name, location in places.items():
        stored = list(open_location(location, s3_client).list())
        if stored:
            seen[name] = _digest_of(stored)
    return seen


def _months(changed: Iterable[str]) -> set[str]:
    """The billing months to run for: those whose manifest is new, and the ones that are still open anyway."""
    found = {place.rsplit(" ", 1)[-1] for place in changed}
    return {
        *current_and_previous_month(datetime.now(UTC)),
        *(month for month in found if _MONTH.fullmatch(month)),
    }


def _digest_of(stored: Iterable[StoredObject]) -> str:
    return _digest(f"{item.key} {item.version}" for item in stored)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]
