"""The driver of Spark, started elsewhere by Dagster Pipes, reports to the Dagster that started it."""

# No postponed annotations: Dagster evaluates them when decorating.
import sys

import dagster as dg

from orchestration.settings import PROJECT_ROOT

# What a run does with a line about days, in the driver's process.
LINE = "2026-03-01 computed on Spark, wave 1 of 2: 1 of 4"
DRIVER = f"""
from dagster_pipes import open_dagster_pipes
from orchestration.warehouse.spark.build import _tell

with open_dagster_pipes():
    _tell(print, "{LINE}")
"""


def test_days_are_reported_through_pipes() -> None:
    @dg.asset
    def costs(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient):
        job = [sys.executable, str(PROJECT_ROOT / "deploy" / "spark_job.py"), "--version"]
        pipes.run(command=job, context=context, cwd=str(PROJECT_ROOT))
        driver = [sys.executable, "-c", DRIVER]
        return pipes.run(command=driver, context=context, cwd=str(PROJECT_ROOT)).get_materialize_result()

    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([costs], instance=instance, resources={"pipes": dg.PipesSubprocessClient()})
        assert done.success
        logged = instance.all_logs(done.run_id)
    assert any(entry.user_message == LINE for entry in logged)
