"""Plain dbt and MetricFlow, as a person or an editor runs them: in the workspace's project and in a copy."""

from __future__ import annotations

import csv
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company


def _call(folder: Path, program: str, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _databases(company: Company) -> list[Path]:
    return sorted(path for path in company.root.rglob("*.duckdb") if "published" not in path.parts)


def test_dbt_and_metricflow_in_the_workspace(company: Company) -> None:
    settings = company.settings
    databases = _databases(company)
    assert databases == [settings.warehouse_file]
    built = _call(settings.dbt_project, "dbt", "build")
    assert "ERROR=0" in built
    # Runs leave them out: they test the SQL, not the data.
    assert built.count(" unit_test ") == 3
    _call(settings.dbt_project, "dbt", "docs", "generate")
    assert (settings.dbt_project / "target" / "catalog.json").is_file()

    validated = _call(settings.dbt_project, "mf", "validate-configs")
    assert validated.count("ERRORS: 0, FUTURE_ERRORS: 0") == 6
    answer = company.root / "answer.csv"
    by = ["--group-by", "metric_time__month,customer__segment", "--csv", str(answer)]
    _call(settings.dbt_project, "mf", "query", "--metrics", "allocated_cost,customer_count", *by)
    with answer.open() as rows:
        given = {
            (row["metric_time__month"][:7], row["customer__segment"]): Decimal(row["allocated_cost"])
            for row in csv.DictReader(rows)
            if row["allocated_cost"]
        }
    by_hand = company.read(
        "select strftime(usage_date, '%Y-%m'), segment, sum(effective_cost) from customer_totals_daily "
        "where customer_id <> 'unallocated' group by all"
    )
    assert given == {(month, segment): cost for month, segment, cost in by_hand}
    assert _databases(company) == databases


def test_dbt_in_a_copy_before_any_run(tmp_path: Path) -> None:
    company = new_company(tmp_path / "company")
    settings, copy = company.settings, tmp_path / "copy"
    places = ["--workspace", str(settings.workspace), "--contexts", str(settings.contexts)]
    _call(tmp_path, "cpc", "compile", *places, "--to", str(copy))
    _call(copy, "dbt", "parse")
    _call(copy, "dbt", "run", "--select", "path:models/rules path:models/signals")
    assert sorted(tmp_path.rglob("*.duckdb")) == [settings.warehouse_file]
