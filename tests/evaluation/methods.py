"""The methods that are compared: the project's own SQL, and two that are common elsewhere.

Each gives the days on which it raises an alarm, by case: `Alarms`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from statsmodels.tsa.seasonal import STL

from orchestration.settings import Settings
from orchestration.warehouse.project import prepare_project
from tests.evaluation.cases import DAYS, FIRST_DAY, Case, Values, day

Alarms = Mapping[str, list[tuple[int, int]]]
"""By case: each anomaly as the day on which it was told and the last one that it has."""

MODELS = "daily_levels daily_expectations daily_scores daily_alarms anomaly_runs"


def our_sql(cases: Sequence[Case], workspace: Path) -> Alarms:
    """The dbt models as they are, on a warehouse that holds the cases as customers' costs."""
    settings = Settings(workspace=workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse_file)) as warehouse:
        write_series(warehouse, cases)
    run_models(settings)
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as warehouse:
        found = warehouse.execute(
            "select series_key, detected_at::date, last_at::date from anomalies.anomaly_runs order by all"
        ).fetchall()
    alarms: dict[str, list[tuple[int, int]]] = {case.name: [] for case in cases}
    for key, told, last in found:
        alarms[cases[key].name].append(((told - FIRST_DAY).days, (last - FIRST_DAY).days))
    return alarms


def run_models(settings: Settings) -> None:
    """Run the models from the series to the anomalies: of every day, or of those after `changed_days`."""
    project = prepare_project(settings)
    assert project.dbt("run", "--select", MODELS, folder=settings.workspace / "target").is_success


def write_series(warehouse: duckdb.DuckDBPyConnection, cases: Sequence[Case]) -> None:
    """Make the tables that the models read."""
    rows = [
        (number, case.name, day(at), f"{cost:.6f}")
        for number, case in enumerate(cases)
        for at, cost in enumerate(case.cost)
        if not np.isnan(cost)
    ]
    keys, names, days, costs = zip(*rows, strict=True)
    table = pa.table({"key": keys, "name": names, "day": pa.array(days), "cost": costs})
    warehouse.register("given", table)
    warehouse.execute("create schema staging; create schema anomalies")
    warehouse.execute(
        "create table anomalies.anomaly_series_daily as select key::ubigint as series_key, "
        "'customer_feature' as series_kind, name as customer_id, 'Search' as element, "
        "null::varchar as service_name, null::varchar as sub_account_id, 'USD' as billing_currency, "
        "day::date as usage_date, cost::decimal(38, 12) as effective_cost from given"
    )
    # Every day is made, in one batch; a run that is not the first has noted its days before.
    warehouse.execute(
        "create table staging.changed_days as "
        "select distinct usage_date, 1 as batch from anomalies.anomaly_series_daily"
    )
    warehouse.execute("create schema built")
    warehouse.execute(
        "create table built.days (usage_date date primary key, charges_fingerprint varchar, "
        "usage_fingerprint varchar, aliases_fingerprint varchar, rules_fingerprint varchar not null, "
        "lookback_days integer not null, built_at timestamp not null)"
    )
    warehouse.execute(
        "insert into built.days (usage_date, rules_fingerprint, lookback_days, built_at) "
        "select usage_date, 'published', 0, now()::timestamp from staging.changed_days"
    )
    warehouse.execute(
        "create table anomalies.hourly_scores (series_key ubigint, usage_date date, usage_hour timestamp, "
        "previous_hour timestamp, level double, score double)"
    )


def rolling_z_score(cases: Sequence[Case], window: int, threshold: float) -> Alarms:
    """A day is an alarm that is `threshold` standard deviations from the mean of the `window` days before."""
    return {case.name: _runs(np.abs(_z_scores(case.cost, window)) > threshold) for case in cases}


def stl_residual(cases: Sequence[Case], scores: Mapping[str, Values], threshold: float) -> Alarms:
    """A day is an alarm if its remainder is `threshold` robust deviations from 0 (see `stl_scores`)."""
    return {case.name: _runs(np.abs(scores[case.name]) > threshold) for case in cases}


def stl_scores(cases: Sequence[Case]) -> dict[str, Values]:
    """Remainders of a robust STL with a weekly season over the whole series: it knows what came later."""
    return {case.name: _stl_score(case.cost) for case in cases}


def _z_scores(cost: Values, window: int) -> Values:
    scores = np.full(DAYS, np.nan)
    for at in range(window, DAYS):
        before = cost[at - window : at]
        before = before[~np.isnan(before)]
        if len(before) >= window // 2 and before.std() > 0:
            scores[at] = (cost[at] - before.mean()) / before.std()
    return np.nan_to_num(scores)


def _stl_score(cost: Values) -> Values:
    known = np.flatnonzero(~np.isnan(cost))
    span = np.arange(known[0], DAYS)
    filled = np.interp(span, known, cost[known])
    remainder = STL(filled, period=7, robust=True).fit().resid
    scores = np.zeros(DAYS)
    scores[span] = remainder / max(1.4826 * float(np.median(np.abs(remainder))), 1e-9)
    scores[np.isnan(cost)] = 0
    return scores


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Alarms as anomalies: days that are at most three apart are one, as in the project's SQL."""
    found: list[tuple[int, int]] = []
    for at in map(int, np.flatnonzero(flags)):
        if found and at - found[-1][1] <= 3:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found
