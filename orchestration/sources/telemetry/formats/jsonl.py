"""JSONL: one JSON object per line."""

from __future__ import annotations

from orchestration.sources.telemetry.formats.lines import NOT_BLANK, WITHOUT_RETURN
from orchestration.sources.telemetry.records import FIELDS

_KNOWN = "[" + ", ".join(f"'{name}'" for name in FIELDS) + "]"
# DuckDB's JSON parser reads numbers as doubles with 15 digits and two-digit exponents. Longer values are
# quoted before parsing. `"value"` followed by a colon can only be a key, because quotes inside JSON text are
# escaped.
_LONG_VALUE = r"""regexp_matches(
    raw, '"value"\s*:\s*(?:[-+0-9.eE]{16}|[-0-9.]+[eE][-+]?[0-9]{3})'
)"""
_VALUE_AS_TEXT = r"""regexp_replace(
    raw,
    '"value"\s*:\s*(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(\s*[,}])',
    '"value":"\1"\2',
    'g'
)"""
JSONL_QUERY = rf"""
    WITH numbered AS (SELECT batch, batch_row, {WITHOUT_RETURN} FROM lines WHERE {NOT_BLANK}),
    exact AS (
        SELECT *, CASE WHEN {_LONG_VALUE} THEN {_VALUE_AS_TEXT} ELSE raw END AS json FROM numbered
    ),
    checked AS (
        SELECT
            *,
            CASE
                WHEN contains(raw, chr(65533)) THEN 'not-utf-8'
                WHEN NOT json_valid(json) THEN 'not-json'
                WHEN NOT regexp_matches(json, '^\s*\{{') THEN 'not-an-object'
            END AS read_error
        FROM exact
    ),
    opened AS (
        SELECT
            batch, batch_row, read_error, raw,
            CASE
                WHEN read_error IS NULL
                    THEN list_filter(json_keys(json), lambda name: NOT list_contains({_KNOWN}, name))
            END AS unknown_fields,
            CASE
                WHEN read_error IS NULL
                    THEN json_extract_string(json, [{", ".join(f"'$.{name}'" for name in FIELDS)}])
            END AS given_fields
        FROM checked
    )
    SELECT
        batch, batch_row, read_error, raw, unknown_fields, true AS point_is_usual,
        {", ".join(f"given_fields[{place}] AS {name}" for place, name in enumerate(FIELDS, 1))}
    FROM opened
"""
