"""Detect a file's number format from all of its values, as SQL over text.

`1.500` is one and a half in one country and fifteen hundred in another; only the whole file can tell.
"""

from __future__ import annotations

from orchestration.warehouse.sql import literal

# Thousands separators of either format.
_SPACES = " \u00a0\u202f'\u2019"
_GROUPED = rf"[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}})+"
_POINT = rf"[+-]?(?:(?:\d+|[1-9]\d{{0,2}}(?:,\d{{3}})+|{_GROUPED})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{{1,4}})?"
_COMMA = rf"[+-]?(?:(?:\d+|[1-9]\d{{0,2}}(?:\.\d{{3}})+|{_GROUPED})(?:,\d*)?|,\d+)"

POINT, COMMA, MIXED, UNKNOWN = "point", "comma", "mixed", "unknown"


def fits_point(value: str) -> str:
    """SQL: whether the text can be a number with a decimal point."""
    return f"regexp_full_match({value}, {literal(_POINT)})"


def fits_comma(value: str) -> str:
    """SQL: whether the text can be a number with a decimal comma."""
    return f"regexp_full_match({value}, {literal(_COMMA)})"


def signed(value: str) -> str:
    """SQL: the text with its minus in front, as accounting (`(500.00)`), SAP (`50.00-`) and typesetting
    (U+2212) write it elsewhere."""
    hyphen = f"replace({value}, '\u2212', '-')"
    in_front = f"regexp_replace({hyphen}, '^\\((.*[0-9].*)\\)$', '-\\1')"
    return f"regexp_replace({in_front}, '^([^-]*[0-9][^-]*)-$', '-\\1')"


def format_of(value: str, point_is_usual: str) -> str:
    """SQL aggregate: the format of a file's values: `point`, `comma`, `mixed` or `unknown`.

    Values that fit both with different meanings (`1.500`, `1,500`) decide nothing; if nothing else does,
    comma-separated files use decimal points (`point_is_usual`), and other files are unknown.
    """
    point, comma = fits_point(value), fits_comma(value)
    return f"""
        CASE
            WHEN coalesce(bool_or({point} AND NOT {comma}), false)
                AND coalesce(bool_or({comma} AND NOT {point}), false) THEN '{MIXED}'
            WHEN coalesce(bool_or({comma} AND NOT {point}), false) THEN '{COMMA}'
            WHEN coalesce(bool_or({point} AND NOT {comma}), false) THEN '{POINT}'
            WHEN coalesce(bool_or({point} AND {comma} AND regexp_matches({value}, '[.,]')), false)
                AND NOT {point_is_usual} THEN '{UNKNOWN}'
            ELSE '{POINT}'
        END
    """


def plain(value: str, number_format: str) -> str:
    """SQL: the text as a plain decimal with a point, if it fits the file's format; else unchanged."""
    ungrouped = f"regexp_replace({value}, '[{_SPACES.replace(chr(39), chr(39) * 2)}]', '', 'g')"
    return f"""
        CASE
            WHEN {number_format} = '{COMMA}' AND {fits_comma(value)}
                THEN replace(replace({ungrouped}, '.', ''), ',', '.')
            WHEN {number_format} = '{POINT}' AND {fits_point(value)} THEN replace({ungrouped}, ',', '')
            ELSE {value}
        END
    """
