"""The costliest anomalies, each with its sentence."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.outputs.read_only import rows_of
from orchestration.outputs.report.tables import LARGEST_ANOMALIES
from orchestration.outputs.sentences import anomaly_sentence

MARTS = frozenset({"cost_anomalies", "cost_anomaly_drivers"})
_ANOMALIES = f"from cost_anomalies where impact_rank <= {LARGEST_ANOMALIES} order by impact_rank"


def select_anomalies(marts: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row per anomaly, the largest impact first."""
    drivers: dict[str, list[dict[str, object]]] = {}
    for driver in rows_of(marts, "from cost_anomaly_drivers"):
        drivers.setdefault(driver["anomaly_id"], []).append(driver)
    sentences = [
        anomaly_sentence(anomaly, drivers.get(anomaly["anomaly_id"], []))
        for anomaly in rows_of(marts, _ANOMALIES)
    ]
    table = marts.sql(
        f"""
        select
            * exclude (started_at, ended_at),
            strftime(started_at, '%Y-%m-%d %H:%M') as started_at,
            strftime(ended_at, '%Y-%m-%d %H:%M') as ended_at,
            started_at::date as first_day,
            (ended_at - interval 1 microsecond)::date as last_day  -- ended_at is the first instant after it
        {_ANOMALIES}
        """
    ).to_arrow_table()
    return table.append_column("explanation", pa.array(sentences, pa.string()))
