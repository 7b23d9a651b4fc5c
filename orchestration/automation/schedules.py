"""Scheduled runs."""

# No postponed annotations: Dagster evaluates them when decorating.
import dagster as dg

from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.partitions import month_range_tags, open_months

DAILY = "0 6 * * *"


def build_daily_schedule(months: dg.MonthlyPartitionsDefinition) -> dg.ScheduleDefinition:
    """One run a day for the current and the previous billing month, which providers still correct."""

    @dg.schedule(
        name="daily_costs_at_six",
        job_name=DAILY_COSTS,
        cron_schedule=DAILY,
        execution_timezone="UTC",
        description="Runs the current and the previous billing month daily at 06:00 UTC.",
    )
    def daily_costs_at_six(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        now = context.scheduled_execution_time
        return dg.RunRequest(
            run_key=f"{now:%Y-%m-%d}", tags=month_range_tags(months, open_months(months, now))
        )

    return daily_costs_at_six
