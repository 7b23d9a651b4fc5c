"""JSONL: one JSON object per line.

What belongs here: what is a JSON object, and its members as text. What does not: the rules of a record.
"""

from __future__ import annotations

from orchestration.sources.telemetry.formats.lines import BLANKS
from orchestration.sources.telemetry.records import FIELDS

_KNOWN = "[" + ", ".join(f"'{name}'" for name in FIELDS) + "]"
# DuckDB's JSON parser reads numbers as doubles, so the value is made a text before it is parsed. A key is the
# only place where `"value"` can be followed by a colon: quotes inside of JSON text are escaped.
_VALUE_AS_TEXT = r"""regexp_replace(
    raw,
    '"value"\s*:\s*(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(\s*[,}])',
    '"value":"\1"\2',
    'g'
)"""
JSONL_QUERY = f"""
    WITH numbered AS (
        SELECT batch, batch_row, rtrim(raw, chr(13)) AS raw, {_VALUE_AS_TEXT} AS json
        FROM lines
        WHERE trim(raw, '{BLANKS}') <> ''
    ),
    checked AS (
        SELECT
            *,
            CASE
                WHEN contains(raw, chr(65533)) THEN 'not-utf-8'
                WHEN NOT json_valid(json) THEN 'not-json'
                WHEN json_type(json) <> 'OBJECT' THEN 'not-an-object'
            END AS misread
        FROM numbered
    ),
    opened AS (
        SELECT
            batch, batch_row, misread, raw,
            CASE
                WHEN misread IS NULL
                    THEN list_filter(json_keys(json), lambda name: NOT list_contains({_KNOWN}, name))
            END AS unknown_fields,
            CASE
                WHEN misread IS NULL
                    THEN json_extract_string(json, [{", ".join(f"'$.{name}'" for name in FIELDS)}])
            END AS told
        FROM checked
    )
    SELECT
        batch, batch_row, misread, raw, unknown_fields,
        {", ".join(f"told[{place}] AS {name}" for place, name in enumerate(FIELDS, 1))}
    FROM opened
"""
