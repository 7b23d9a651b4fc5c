"""SQL that converts a column of any type to a landed type: text, number, timestamp, map.

Numbers become decimal(38,12) here; floats end here. Empty text, in CSV or Parquet, counts as absent.
"""

from __future__ import annotations

import re
from functools import cache

import jinja2

from orchestration.settings import PROJECT_ROOT
from orchestration.sources.billing.formats.columns import SQL_TYPES, Family, Kind
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.files.text import BLANKS
from orchestration.warehouse.sql import literal

EMPTY_MAP = "map([]::varchar[], []::varchar[])"
_ENTRIES = '[{"key":"VARCHAR","value":"VARCHAR"}]'


def text(column: SourceColumn, absent: tuple[str, ...] = ()) -> str:
    """The column as text; '' and the words in `absent` become NULL."""
    if not column.has_values:
        return "null::varchar"
    if column.type.startswith("TIMESTAMP"):
        value = f"strftime({timestamp(column)}, '%Y-%m-%dT%H:%M:%SZ')"
    else:
        value = column.sql if column.type == "VARCHAR" else f"{column.sql}::varchar"
    for word in (*([""] if column.may_be_blank else []), *absent):
        value = f"nullif({value}, {literal(word)})"
    return value


def currency_code(value: str) -> str:
    """A currency as in ISO 4217: three capitals, trimmed."""
    return f"upper(trim({value}, {BLANKS}))"


def number(column: SourceColumn, absent: tuple[str, ...] = (), cast: str = "cast") -> str:
    """The column as decimal(38,12), rounded half up if it has more digits."""
    kind = column.type
    if not column.has_values:
        return "null::decimal(38,12)"
    if kind == "DOUBLE" and cast == "cast":
        # The decimal meant by a double is its shortest text. Converting through text costs five times as
        # much, so it is only used where a direct cast does not round-trip.
        x = column.sql
        return (
            f"case when abs({x}) < 4096 and cast({x} as decimal(38,12))::double = {x} "
            f"then cast({x} as decimal(38,12)) else cast({x}::varchar as decimal(38,12)) end"
        )
    if kind.startswith("DECIMAL") or "INT" in kind:
        return f"{cast}({column.sql} as decimal(38,12))"
    return f"{cast}({text(column, absent)} as decimal(38,12))"


def cut_digits(columns: list[SourceColumn], absent: tuple[str, ...] = ()) -> str:
    """What `number` rounds off the first of several columns with a value: 0 for nearly every bill.

    The value minus its twelve digits, up to 24 digits; also 0 for values of more than 14 digits before the
    point, of which 24 decimals do not fit.
    """
    cases = "".join(
        f"when {number(column, absent)} is not null then {_cut(column, absent)} " for column in columns
    )
    return f"case {cases}end"


def _cut(column: SourceColumn, absent: tuple[str, ...]) -> str:
    if "INT" in column.type or not column.has_values:
        return "0"
    rest = (
        f"coalesce(try_cast({text(column, absent)} as decimal(38,24)) - "
        f"try_cast({number(column, absent)} as decimal(38,24)), 0)"
    )
    if column.type == "DOUBLE":
        x = column.sql
        return (
            f"case when abs({x}) < 4096 and cast({x} as decimal(38,12))::double = {x} then 0 else {rest} end"
        )
    return rest


def timestamp(column: SourceColumn, absent: tuple[str, ...] = (), cast: str = "cast") -> str:
    """The column as a UTC timestamp; text without a zone is UTC."""
    if not column.has_values:
        return "null::timestamp"
    if column.type == "TIMESTAMP WITH TIME ZONE":
        return f"{column.sql} at time zone 'UTC'"
    if column.type.startswith("TIMESTAMP") or column.type == "DATE":
        return f"{cast}({column.sql} as timestamp)"
    # Through timestamptz, because a plain timestamp cast ignores the text's offset.
    return f"{cast}({text(column, absent)} as timestamptz) at time zone 'UTC'"


def mapping(column: SourceColumn, absent: tuple[str, ...] = ()) -> str:
    """The column as map(varchar, varchar) without empty values, sorted by key; NULL when absent or empty.

    A map, a struct, a list of structs with `key` and `value`, or the JSON text of an object or such a list.
    Of a key that comes twice the first value stays.
    """
    if column.type.startswith("MAP("):
        source = column.sql
    elif column.type.endswith("[]"):
        source = _map_of_list(column.sql)
    elif column.type.startswith("STRUCT("):
        source = f"cast(to_json({column.sql}) as map(varchar, varchar))"
    else:
        source = _map_of_json(text(column, absent))
    return (
        f"case when cardinality({source}) > 0 then map_from_entries(list_sort(list_filter(map_entries("
        f"cast({source} as map(varchar, varchar))), lambda e: e.value <> ''))) end"
    )


@cache
def spelled(family: Family, tags: str) -> str:
    """A map (SQL, never NULL) with normalized keys, by dbt's own macro."""
    macros = (PROJECT_ROOT / "dbt_project" / "macros" / "tag_keys.sql").read_text(encoding="utf-8")
    call = f"{{{{ with_tag_keys({literal(tags)}, of_cur={str(family == 'aws_cur').lower()}) }}}}"
    return jinja2.Template(macros + call).render().strip()


def conflicts(family: Family, entries: str) -> str:
    """Names of a list of tags (`key`, `value`) that have several values, each with them; NULL for none."""
    macros = (PROJECT_ROOT / "dbt_project" / "macros" / "tag_keys.sql").read_text(encoding="utf-8")
    call = f"{{{{ tag_key('e.key', of_cur={str(family == 'aws_cur').lower()}) }}}}"
    key = jinja2.Template(macros + call).render().strip()
    same = (
        f"list_distinct(list_transform({entries}, lambda e: "
        f"{{'key': {key}, 'value': nfc_normalize(trim(e.value, {BLANKS}))}}))"
    )
    keys = f"list_transform({same}, lambda e: e.key)"
    values = f"list_transform(list_filter({same}, lambda e: e.key = k), lambda e: e.value)"
    return (
        f"case when len(list_distinct({keys})) < len({same}) then list_transform(list_filter("
        f"list_distinct({keys}), lambda k: len({values}) > 1), lambda k: "
        f"{{'key': k, 'values': array_to_string(list_sort({values}), ' and ')}}) end"
    )


def may_hold_map(column: SourceColumn) -> bool:
    """Whether `mapping` accepts the column's type: a list must be one of keys and values."""
    fields = column.type.lower()
    is_keyed = all(re.search(rf'[(, ]"?{name}"? ', fields) for name in ("key", "value"))
    return not fields.endswith("[]") or (fields.startswith("struct(") and is_keyed)


def is_no_map(value: str) -> str:
    """Whether a text is present and not valid JSON for `mapping`."""
    kind = f"coalesce(json_type(try_cast({value} as json)), '')"
    entries = f"case when {kind} = 'ARRAY' then from_json({value}, '{_ENTRIES}') end"
    keyless = f"len(list_filter({entries}, lambda e: e.key is null)) > 0"
    return f"({value} is not null and ({kind} not in ('OBJECT', 'ARRAY') or coalesce({keyless}, false)))"


def _map_of_json(value: str) -> str:
    """A map from the JSON text of an object, or of a list of objects with `key` and `value`."""
    listed = f"from_json_strict({value}, '{_ENTRIES}')"
    # A cast rejects objects with duplicate keys; then the first value is looked up by key.
    repeated = (
        f"map_from_entries(list_transform(list_distinct(json_keys({value})), lambda k: {{'key': k, "
        f"""'value': json_extract_string({value}, '$."' || k || '"')}}))"""
    )
    return (
        f"case when starts_with(ltrim({value}), '[') then {_map_of_list(listed)} "
        f"when len(list_distinct(json_keys({value}))) < len(json_keys({value})) then {repeated} "
        f"else cast(cast({value} as json) as map(varchar, varchar)) end"
    )


def _map_of_list(entries: str) -> str:
    """A map from a list of structs with `key` and `value`."""
    keys = f"list_transform({entries}, lambda e: cast(e.key as varchar))"
    kept = f"list_filter({entries}, lambda e, i: list_position({keys}, cast(e.key as varchar)) = i)"
    return (
        f"map_from_entries(list_transform({kept}, "
        "lambda e: {'key': cast(e.key as varchar), 'value': cast(e.value as varchar)}))"
    )


def converted(kind: Kind, column: SourceColumn, absent: tuple[str, ...] = (), cast: str = "cast") -> str:
    """The column converted to the landed type of `kind`; text in Unicode's composed form (NFC)."""
    if kind == "text":
        value = text(column, absent)
        return f"nfc_normalize({value})" if column.has_values else value
    if kind == "number":
        return number(column, absent, cast)
    if kind == "timestamp":
        return timestamp(column, absent, cast)
    return mapping(column, absent)


def first_present(kind: Kind, columns: list[SourceColumn], absent: tuple[str, ...] = ()) -> str:
    """The first of several equivalent columns with a value; a typed NULL if there is none."""
    values = [converted(kind, column, absent) for column in columns]
    if not values:
        return f"null::{SQL_TYPES[kind]}"
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def or_empty(value: str | None) -> str:
    """A map that is never NULL; None stands for a map that the file lacks."""
    return f"coalesce({value}, {EMPTY_MAP})" if value else EMPTY_MAP


def map_of(columns: dict[str, list[SourceColumn]], absent: tuple[str, ...] = ()) -> str | None:
    """A map from names to the columns' text, without empty values, sorted by name; None for no columns."""
    if not columns:
        return None
    entries = ", ".join(
        f"{{'key': {literal(name)}, 'value': {first_present('text', columns[name], absent)}}}"
        for name in sorted(columns)
        if any(column.has_values for column in columns[name])
    )
    if not entries:
        return EMPTY_MAP
    return f"map_from_entries(list_filter([{entries}], lambda e: e.value is not null))"
