"""Decide time and number formats that only the whole file can tell, and judge the rows that waited for it."""

from __future__ import annotations

from datetime import datetime

import duckdb

from orchestration.sources.files import number_formats
from orchestration.sources.telemetry.records import FIELDS, UNDECIDED, judged_records

_WHOLE_DIGITS = "length(split_part(said_timestamp, '.', 1))"
_FORMS = f"""
    CREATE OR REPLACE TEMP TABLE forms AS
    SELECT
        batch,
        bool_or(usage_timestamp IS NOT NULL) AS has_times,
        bool_or({_WHOLE_DIGITS} = 10 AND usage_timestamp IS NULL) AS has_seconds,
        bool_or({_WHOLE_DIGITS} = 13 AND usage_timestamp IS NULL) AS has_milliseconds,
        coalesce(bool_or(has_point AND reason IS DISTINCT FROM '{UNDECIDED}'), false) AS has_points,
        {number_formats.format_of("said_value", "bool_and(point_is_usual)")} AS said_format
    FROM judged
    WHERE batch IN (SELECT batch FROM judged WHERE reason = '{UNDECIDED}')
    GROUP BY batch
"""
# A waiting value must fit a format the file can have: next to decimal points, it must use one too.
_NUMBER_FORMAT = """
    CASE
        WHEN forms.has_points AND forms.said_format IN ('comma', 'mixed') THEN 'mixed'
        WHEN forms.has_points THEN 'point'
        ELSE forms.said_format
    END
"""
_TIMES = """
    CASE
        WHEN usage_timestamp IS NOT NULL THEN strftime(usage_timestamp, '%Y-%m-%dT%H:%M:%S.%fZ')
        WHEN NOT has_times AND NOT has_milliseconds
            THEN strftime(
                make_timestamp((said_timestamp::DECIMAL(24, 6) * 1000000)::BIGINT), '%Y-%m-%dT%H:%M:%S.%fZ'
            )
        WHEN NOT has_times AND NOT has_seconds
            THEN strftime(
                make_timestamp((said_timestamp::DECIMAL(24, 6) * 1000)::BIGINT), '%Y-%m-%dT%H:%M:%S.%fZ'
            )
        ELSE said_timestamp
    END
"""


def decide(connection: duckdb.DuckDBPyConnection, parameters: dict[str, datetime]) -> None:
    """Judge the rows of the table `judged` that waited for the rest of their file."""
    connection.execute(_FORMS)
    fields = {
        "timestamp": _TIMES,
        "value": number_formats.plain("said_value", _NUMBER_FORMAT),
        "filter": "said_filter",
    }
    chosen = ", ".join(f"{fields.get(field, field)} AS {field}" for field in FIELDS)
    waiting = f"""
        SELECT
            batch, batch_row, unknown_fields, raw, point_is_usual,
            CASE
                WHEN {_NUMBER_FORMAT} IN ('mixed', 'unknown') AND {number_formats.fits_comma("said_value")}
                    AND regexp_matches(said_value, '[^0-9]')
                    THEN 'number-format'
            END AS read_error,
            {chosen}
        FROM waiting JOIN forms USING (batch)
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE waiting AS SELECT * FROM judged WHERE reason = '{UNDECIDED}'"
    )
    connection.execute(f"DELETE FROM judged WHERE reason = '{UNDECIDED}'")
    connection.execute(f"INSERT INTO judged BY NAME {judged_records(waiting)}", parameters)
    connection.execute("DROP TABLE waiting")
