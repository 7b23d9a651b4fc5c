"""The weightiest warnings, each with its sentence."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.outputs.read_only import rows_of
from orchestration.outputs.warning_sentences import warning_sentence
from orchestration.outputs.warnings import ORDER

MART = "warnings"
LARGEST_WARNINGS = 1000
_WARNINGS = f"from {MART} {ORDER} limit {LARGEST_WARNINGS}"


def select_warnings(marts: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row per warning, errors first; `message` is its sentence."""
    messages = [warning_sentence(row) for row in rows_of(marts, _WARNINGS)]
    table = marts.sql(f"select * exclude (detail, facts) {_WARNINGS}").to_arrow_table()
    return table.append_column("message", pa.array(messages, pa.string()))
