"""What spark-submit and EMR Serverless run: `cpc`, on the Spark that they have started; see docs/spark.md.

Started by Dagster Pipes, it reports each slice of days that is computed to the Dagster that started it.
"""

import sys
from contextlib import nullcontext

from dagster_pipes import PipesEnvVarParamsLoader, open_dagster_pipes

from orchestration.cli import main

if __name__ == "__main__":
    started_by_dagster = PipesEnvVarParamsLoader().is_dagster_pipes_process()
    with open_dagster_pipes() if started_by_dagster else nullcontext():
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    sys.exit(code)
