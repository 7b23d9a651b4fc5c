"""The usage record: its fields, rules and the meaning of its text.

Everything decided about a record by looking at that record alone, as SQL over its fields as text, so that one
set of rules serves files of every format and the HTTP API. Anything that needs other records or the contexts,
such as whether a stream is known, is left to dbt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS
from orchestration.sources.files.number_formats import fits_comma, fits_point
from orchestration.sources.files.text import cleaned, has_control_character
from orchestration.warehouse.sql import literal

FIELDS = ("stream", "timestamp", "granularity", "customer_id", "value", "operation", "filter", "record_id")
"""What a record may say. Fields of other names are tolerated and counted."""

REQUIRED_FIELDS = ("stream", "timestamp", "customer_id")
"""What every record says; a table without one of these columns does not hold records."""

VALUE_TYPE = "DECIMAL(38, 9)"

NAME = "[a-z][a-z0-9_]*"


@dataclass(frozen=True)
class Rule:
    """One way in which a record can be invalid.

    `code` is the stable reason shown in quarantine. `rejected_when` is a DuckDB condition over the columns
    that `judged_records` prepares. `message` says what is wrong and what to do; `{field}` stands for the
    record's value.
    """

    code: str
    rejected_when: str
    message: str


@dataclass(frozen=True)
class UsageLimits:
    """Range of accepted usage times: from a day (UTC) on, up to some time after the present.

    Otherwise a wrong clock, or seconds taken for milliseconds, would create days that no bill has.
    """

    earliest_day: date = date(2000, 1, 1)
    future_hours: int = 24

    def parameters(self, now: datetime) -> dict[str, datetime]:
        """Parameters of `judged_records` at a time (UTC, no zone)."""
        latest = now + timedelta(hours=self.future_hours)
        return {"earliest": datetime.combine(self.earliest_day, time.min), "latest": latest}


EVERY_TIME = UsageLimits()
"""The limits where a deployment sets no others."""

# Unreadable rows (not JSON, wrong number of columns, ...) are detected by the reader, before they have
# fields.
UNREADABLE = (
    Rule("not-utf-8", "read_error = 'not-utf-8'", "the line is not UTF-8 text; write the file as UTF-8"),
    Rule("not-json", "read_error = 'not-json'", "the line is not valid JSON; write one object per line"),
    Rule("not-an-object", "read_error = 'not-an-object'", "the line is JSON, but not an object of fields"),
    Rule(
        "column-count",
        "read_error = 'column-count'",
        "the row has another number of columns than the header; quote values that hold a comma",
    ),
    Rule(
        "csv-quotes",
        "read_error = 'csv-quotes'",
        'a quote is not closed on its line or stands inside a value; write "" for a quote inside quotes',
    ),
    Rule(
        "number-format",
        "read_error = 'number-format'",
        "value '{value}' has a decimal sign or thousands, and the file does not tell which; write 1500.5",
    ),
)

RULES = (
    *UNREADABLE,
    Rule("stream-missing", "stream IS NULL", "stream is missing"),
    Rule(
        "stream-name",
        f"NOT regexp_full_match(stream, '{NAME}')",
        "stream '{stream}' is not a name of lower-case letters, digits and _ that begins with a letter",
    ),
    Rule(
        "operation-unknown",
        "operation NOT IN ('sum', 'replace', 'delete')",
        "operation '{operation}' is not known; use sum, replace or delete",
    ),
    Rule("timestamp-missing", "timestamp IS NULL", "timestamp is missing"),
    Rule(
        "timestamp-format",
        "usage_timestamp IS NULL",
        "timestamp '{timestamp}' is not an ISO 8601 time such as 2026-07-31T14:00:00Z, nor seconds "
        "or milliseconds since 1970 in every row of its file",
    ),
    Rule(
        "timestamp-too-early",
        "usage_timestamp < $earliest::TIMESTAMP",
        "timestamp '{timestamp}' is before {earliest}, the earliest that is taken (usage_earliest_day)",
    ),
    Rule(
        "timestamp-in-future",
        "usage_timestamp > $latest::TIMESTAMP",
        "timestamp '{timestamp}' is after {latest}, the latest that is taken now (usage_future_hours)",
    ),
    Rule(
        "granularity-unknown",
        "granularity NOT IN ('hourly', 'daily')",
        "granularity '{granularity}' is not known; use hourly or daily, or leave it to the stream",
    ),
    Rule("customer-id-missing", "customer_id IS NULL", "customer_id is missing"),
    Rule(
        "customer-id-not-text",
        "starts_with(customer_id, '{') OR starts_with(customer_id, '[')",
        "customer_id {customer_id} is not text",
    ),
    Rule(
        "customer-id-reserved",
        f"lower(customer_id) IN {RESERVED_CUSTOMERS}",
        "customer_id '{customer_id}' is kept for costs that no one customer carries",
    ),
    Rule(
        "control-character",
        has_control_character(
            "concat(customer_id, record_id, array_to_string(flatten(map_values(dimensions)), ''))"
        ),
        "customer_id, record_id or filter has a control character, such as NUL; remove it",
    ),
    Rule("value-missing", "value IS NULL AND operation <> 'delete'", "value is missing"),
    Rule(
        "value-not-a-number",
        "value IS NOT NULL AND NOT plain AND mantissa IS NULL",
        "value '{value}' is not a number that all rows of the file write alike, such as 1234.5",
    ),
    Rule(
        "value-not-positive",
        "(digits = '' AND operation = 'sum') OR (digits <> '' AND starts_with(value, '-'))",
        "value {value} is not greater than 0; replace by 0, or delete, to take a value back",
    ),
    # A sum of floating-point numbers prints 16 or 17 digits, such as 0.30000000000000004; it is rounded.
    Rule(
        "value-too-precise",
        "decimal_places > 9 AND NOT coalesce("
        f"length(digits) IN (16, 17) AND try_cast(value AS {VALUE_TYPE}) > 0, false)",
        "value {value} has more than 9 decimal places; round it",
    ),
    Rule("value-too-large", "whole_digits > 27", "value {value} has more than 27 digits before the point"),
    Rule(
        "filter-not-an-object",
        "filter IS NOT NULL AND dimensions IS NULL",
        'filter {filter} is not a JSON object such as {"feature": ["Search"]}, each dimension once',
    ),
    Rule(
        "filter-dimension",
        f"len(list_filter(map_keys(dimensions), lambda name: NOT regexp_full_match(name, '{NAME}'))) > 0",
        "filter {filter} names something that cannot be a dimension",
    ),
    Rule(
        "filter-elements",
        "len(list_filter(map_values(dimensions), lambda elements: elements IS NULL)) > 0",
        "filter {filter} needs, for each dimension, a list of at least one element, each a text",
    ),
)

# A plainly valid value: greater than 0, with at most 27 and 9 digits.
_PLAIN = r"[1-9]\d{0,26}(?:\.\d{1,9})?|0\.\d{0,8}[1-9]"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?"
_TIMESTAMP = (
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?"
)

# A list of elements, or NULL unless it is a text or a nonempty list of nonempty texts.
_ELEMENTS = """
    CASE json_type(given)
        WHEN 'VARCHAR' THEN
            CASE WHEN (given ->> '$') <> '' THEN [nfc_normalize(given ->> '$')] END
        WHEN 'ARRAY' THEN
            CASE
                WHEN list_distinct(json_type(given, '$[*]')) = ['VARCHAR']
                    AND NOT list_contains(from_json(given, '["VARCHAR"]'), '')
                    THEN list_sort(list_distinct([nfc_normalize(e) for e in from_json(given, '["VARCHAR"]')]))
            END
    END
"""


# Formats that only the whole file can tell: their rows wait for the other rows (see `file_forms.py`).
UNDECIDED = "undecided"
EPOCH = r"(?:\d{10}|\d{13})(?:\.\d+)?"
_UNDECIDED_RULES = (
    Rule(UNDECIDED, f"usage_timestamp IS NULL AND regexp_full_match(timestamp, '{EPOCH}')", ""),
    Rule(
        UNDECIDED,
        f"({fits_comma('value')} OR {fits_point('value')}) AND (NOT plain AND mantissa IS NULL "
        r"OR NOT point_is_usual AND regexp_full_match(value, '[+-]?[1-9]\d{0,2}\.\d{3}'))",
        "",
    ),
)


def _rules_of_a_file() -> tuple[Rule, ...]:
    """`RULES`, with those for undecided rows before the rules that would reject them."""
    places = {"timestamp-format": _UNDECIDED_RULES[0], "value-not-a-number": _UNDECIDED_RULES[1]}
    return tuple(
        each for rule in RULES for each in ((places[rule.code], rule) if rule.code in places else (rule,))
    )


def judged_records(source: str, *, wait_for_file: bool = False) -> str:
    """SQL of one row per row of `source`, judged by `RULES`.

    With `wait_for_file`, rows of `UNDECIDED` forms keep what they say in said_timestamp, said_value and
    said_filter; has_point then says of the others that their value has a decimal point.

    `source` is SQL with the columns read_error (code of a reading problem or NULL), raw (what to show for a
    rejected row: a text, or a struct that becomes JSON), point_is_usual and each of `FIELDS` as text or NULL,
    next to any others. The session's time zone must be UTC; the parameters are those of `UsageLimits`. The
    result has the other columns of it and
    reason, detail and raw (NULL for a good record), stream, operation, usage_timestamp, granularity,
    customer_id, value, filter (canonical) and record_id, as they are landed.
    """
    trimmed = ", ".join(f"{cleaned(field)} AS {field}" for field in FIELDS)
    rules = _rules_of_a_file() if wait_for_file else RULES
    reasons = "\n".join(f"WHEN {rule.rejected_when} THEN {literal(rule.code)}" for rule in rules)
    said = ""
    if wait_for_file:
        said = "contains(value, '.') AS has_point,\n" + "".join(
            f"CASE WHEN reason = '{UNDECIDED}' THEN {field} END AS said_{field},\n"
            for field in ("timestamp", "value", "filter")
        )
    details = "\n".join(f"WHEN {literal(rule.code)} THEN {_message(rule.message)}" for rule in RULES)
    return f"""
    WITH source AS ({source}),
    trimmed AS (SELECT * REPLACE ({trimmed}) FROM source),
    defaulted AS (SELECT * REPLACE (coalesce(operation, 'sum') AS operation) FROM trimmed),
    parsed AS (
        SELECT
            *,
            CASE
                WHEN regexp_full_match(timestamp, '{_TIMESTAMP}')
                    THEN try_cast(timestamp AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
            END AS usage_timestamp,
            coalesce(regexp_full_match(value, '{_PLAIN}'), false) AS plain,
            CASE
                WHEN NOT plain AND regexp_full_match(value, '{_NUMBER}') THEN regexp_extract(value, '[0-9.]+')
            END AS mantissa,
            CASE
                WHEN NOT plain THEN coalesce(try_cast(regexp_extract(value, '[eE](.*)$', 1) AS INTEGER), 0)
            END AS exponent,
            CASE
                WHEN filter IS NOT NULL AND json_valid(filter)
                    THEN CASE
                        WHEN json_type(filter) = 'OBJECT' THEN from_json(filter, '"MAP(VARCHAR, JSON)"')
                    END
            END AS members
        FROM defaulted
    ),
    measured AS (
        SELECT
            *,
            replace(mantissa, '.', '').trim('0') AS digits,
            length(split_part(mantissa, '.', 2)) AS fraction_length,
            fraction_length - exponent - length(replace(mantissa, '.', ''))
                + length(replace(mantissa, '.', '').rtrim('0')) AS decimal_places,
            length(replace(mantissa, '.', '').ltrim('0')) - fraction_length + exponent AS whole_digits,
            CASE
                WHEN members IS NOT NULL
                    THEN map(
                        map_keys(members), list_transform(map_values(members), lambda given: {_ELEMENTS})
                    )
            END AS dimensions
        FROM parsed
    ),
    judged AS (SELECT *, CASE {reasons} END AS reason FROM measured)
    SELECT
        * EXCLUDE ({", ".join(FIELDS)}, read_error, raw, usage_timestamp, plain, mantissa, exponent, members,
            digits, fraction_length, decimal_places, whole_digits, dimensions, reason
            {"" if wait_for_file else ", point_is_usual"}),
        reason,
        {said}
        CASE reason {details} END AS detail,
        CASE
            WHEN reason IS NULL THEN NULL
            WHEN typeof(raw) = 'VARCHAR' THEN raw::VARCHAR
            ELSE to_json(raw)::VARCHAR
        END AS raw,
        stream,
        operation,
        usage_timestamp,
        granularity,
        customer_id,
        CASE WHEN reason IS NULL THEN value::{VALUE_TYPE} END AS value,
        CASE
            WHEN reason IS NULL AND len(map_keys(dimensions)) > 0
                THEN to_json(map_from_entries(list_sort(map_entries(dimensions))))::VARCHAR
        END AS filter,
        record_id
    FROM judged
    """


def _message(message: str) -> str:
    """SQL that fills the placeholders of a message: `{field}`, `{earliest}` and `{latest}`."""
    values = {field: f"coalesce({field}, '')" for field in FIELDS}
    values |= {name: f"strftime(${name}::TIMESTAMP, '%Y-%m-%dT%H:%MZ')" for name in ("earliest", "latest")}
    parts = re.split(r"\{(" + "|".join(values) + r")\}", message)
    return " || ".join(
        values[part] if place % 2 else literal(part) for place, part in enumerate(parts) if part
    )
