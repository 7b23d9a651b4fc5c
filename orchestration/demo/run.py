"""The demo end to end: generate the sample, serve it from an S3 server, run the job, show the result.

The files are generated in the workspace's `sources/` and uploaded to the server's bucket under the same
names. The run reads them from S3, as in production; afterwards, without the server, `cpc run` and `cpc dev`
find the same files in the workspace's default folders, without any settings.
"""

from __future__ import annotations

import shutil

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from orchestration.automation.messages import show_error
from orchestration.automation.run import run_job
from orchestration.demo.company import COMPANY, REGION
from orchestration.demo.delivery import BUCKET, deliver
from orchestration.demo.result import show_result
from orchestration.demo.server import put_sample, s3_server, server_credentials
from orchestration.settings import PROJECT_ROOT, BillingExport, ExpectedError, S3Settings, Settings

SEED = 7
HOURLY_COSTS_DAYS = 35


def run_demo(settings: Settings, console: Console | None = None, seed: int = SEED) -> bool:
    """Run the whole job once on the sample company, in the workspace and with the contexts of `settings`.

    Returns True if every check passed and the result was shown; errors are printed. A second run reuses the
    files and finds that nothing has changed.
    """
    shown = console or Console()
    shown.print(f"[bold]{COMPANY}[/], a made-up company: two months of billing, 80 customers and their usage")
    try:
        with shown.status("Generating the sample") as status:
            made = deliver(settings.sources, seed, lambda step: status.update(step))
        _tell(shown, "generated in" if made else "already in", str(settings.sources))
        _keep_hours(settings)
        with server_credentials(), s3_server() as endpoint_url:
            _serve(shown, settings, endpoint_url)
            if not run_job(sample_settings(settings, endpoint_url), console=shown):
                return False
    except ExpectedError as error:
        show_error(shown, str(error))
        return False
    return show_result(settings, shown)


def with_example_contexts(settings: Settings) -> Settings:
    """`settings`, with copies of the example contexts in the workspace if there are no others."""
    if settings.contexts.is_dir():
        return settings
    contexts = settings.workspace / "contexts"
    if not contexts.is_dir():
        shutil.copytree(PROJECT_ROOT / "contexts", contexts)
    return Settings(**{**settings.model_dump(exclude_unset=True), "contexts": contexts})


def sample_settings(settings: Settings, endpoint_url: str) -> Settings:
    """`settings` with the sources pointing at the sample's bucket on `endpoint_url`."""
    given = settings.model_dump(
        exclude={"s3", "billing_exports", "telemetry_location", "customers_location", "revenue_location"},
        exclude_unset=True,
    )
    return Settings(
        **given,
        s3=S3Settings(endpoint_url=endpoint_url, region_name=REGION),
        # The default name, so a later run on the local folders sees the same bill.
        billing_exports=(BillingExport(name="billing", location=f"s3://{BUCKET}/billing"),),
        telemetry_location=f"s3://{BUCKET}/telemetry",
        customers_location=f"s3://{BUCKET}/customers",
        revenue_location=f"s3://{BUCKET}/revenue",
    )


def _keep_hours(settings: Settings) -> None:
    """Enable hourly costs in the workspace's settings, so that a later `cpc run` has them too."""
    file = settings.workspace / "settings.yml"
    if not file.exists():
        file.write_text(f"hourly_costs_days: {HOURLY_COSTS_DAYS}\n", encoding="utf-8")


def _serve(shown: Console, settings: Settings, endpoint_url: str) -> None:
    columns = (TextColumn("Uploading files to the bucket"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task("")
        put_sample(
            endpoint_url, settings.sources, lambda n, total: progress.update(task, completed=n, total=total)
        )
    _tell(shown, "served at", f"{endpoint_url}/{BUCKET}")


def _tell(shown: Console, what: str, where: str) -> None:
    shown.print(f"[green]✓[/] files {what} {where}", soft_wrap=True, highlight=False)
