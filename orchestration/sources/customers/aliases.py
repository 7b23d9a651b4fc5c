"""SQL for aliases in a customer list: their formats, and what is wrong with them.

Aliases are other ids that usage and tags use for a customer, always or for a range of days (inclusive).
"""

from __future__ import annotations

from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS
from orchestration.sources.files.text import BLANKS, cleaned, has_control_character

TYPE = "STRUCT(alias VARCHAR, valid_from VARCHAR, valid_to VARCHAR)[]"
_KEYS = ("alias", "valid_from", "valid_to")
_WRITTEN = r"^(.*?)(?:\s+(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?)?$"

# Every name of a customer (id or alias) with its days of validity, and the first row that claims it.
PROBLEMS = f"""
    WITH aliases AS (
        SELECT file, file_row, unnest(aliases, recursive := true) FROM given
    ),
    names AS (
        SELECT
            file, file_row, 0 AS rank, 'customer_id' AS kind, customer_id AS name,
            '-infinity'::DATE AS first_day, 'infinity'::DATE AS last_day
        FROM given
        WHERE customer_id IS NOT NULL
        UNION ALL
        SELECT
            file, file_row, 1, 'alias', alias,
            coalesce(try_cast(valid_from AS DATE), '-infinity'),
            coalesce(try_cast(valid_to AS DATE), 'infinity')
        FROM aliases
    ),
    claims AS (
        SELECT
            later.*,
            min_by(struct_pack(kind := earlier.kind, file := earlier.file, file_row := earlier.file_row),
                (earlier.rank, earlier.file, earlier.file_row)) AS owner
        FROM names AS later
        INNER JOIN names AS earlier
            ON earlier.name = later.name
            AND (earlier.rank, earlier.file, earlier.file_row) < (later.rank, later.file, later.file_row)
            AND (earlier.file, earlier.file_row) <> (later.file, later.file_row)
            AND earlier.first_day <= later.last_day
            AND earlier.last_day >= later.first_day
        GROUP BY ALL
    ),
    problems AS (
        SELECT file, file_row, 'customer_id is missing' AS message FROM given WHERE customer_id IS NULL
        UNION ALL
        SELECT
            file, file_row,
            kind || ' ''' || name || ''' is reserved for costs that no single customer carries; choose '
                || 'another'
        FROM names
        WHERE lower(name) IN {RESERVED_CUSTOMERS}
        UNION ALL
        SELECT file, file_row, kind || ' has a control character, such as NUL; remove it'
        FROM names
        WHERE {has_control_character("name")}
        UNION ALL
        SELECT
            file, file_row,
            kind || ' ''' || name || ''' is already the ' || owner.kind || ' in ' || owner.file || ' row '
            || owner.file_row || CASE WHEN last_day < 'infinity' OR first_day > '-infinity'
                THEN ' on some of its days' ELSE '' END || '; a name belongs to one customer at a time'
        FROM claims
        UNION ALL
        SELECT
            file, file_row,
            'an alias has no name; write {{"alias": ..., "valid_from": ..., "valid_to": ...}}'
        FROM aliases
        WHERE alias = ''
        UNION ALL
        SELECT
            file, file_row,
            'the days of alias ''' || alias || ''' are not written as YYYY-MM-DD: '
            || concat_ws('..', coalesce(valid_from, ''), coalesce(valid_to, ''))
        FROM aliases
        WHERE
            (valid_from IS NOT NULL AND try_cast(valid_from AS DATE) IS NULL)
            OR (valid_to IS NOT NULL AND try_cast(valid_to AS DATE) IS NULL)
            OR regexp_matches(alias, '\\s\\S*\\.\\.\\S*$')
        UNION ALL
        SELECT
            file, file_row,
            'alias ''' || alias || ''' ends on ' || valid_to || ', before it begins on ' || valid_from
        FROM aliases
        WHERE try_cast(valid_to AS DATE) < try_cast(valid_from AS DATE)
    )
    SELECT DISTINCT file || ' row ' || file_row || ': ' || message, file, file_row, message
    FROM problems ORDER BY file, file_row, message
"""

# As landed: dates are typed, and an alias equal to the id is dropped.
LANDED = """
    list_sort(list_distinct(list_transform(
        list_filter(aliases, lambda given: given.alias <> customer_id),
        lambda given: struct_pack(
            alias := given.alias,
            valid_from := given.valid_from::DATE,
            valid_to := given.valid_to::DATE
        )
    )))
"""


def given_aliases(kind: str | None) -> str:
    """SQL that makes `TYPE` of the column `aliases` of a file, whose type is `kind` (None: no such column).

    A list of names, or text divided by `;`; a name can be followed by its days, as in
    `acme-old 2026-01-01..2026-06-30`, of which one end may be left out. In JSONL and Parquet also a list of
    objects with `alias`, `valid_from` and `valid_to`.
    """
    if kind is None:
        return f"[]::{TYPE}"
    if kind == "JSON":
        parts = f"""
            CASE WHEN json_type(aliases) = 'ARRAY'
                THEN list_transform(from_json(aliases, '["JSON"]'), lambda part:
                    CASE WHEN json_type(part) = 'OBJECT' THEN {_of_object("part")}
                        ELSE {_of_text("part ->> '$'")} END)
                ELSE {_of_texts("string_split(aliases ->> '$', ';')")}
            END
        """
    elif kind.startswith(("list", "large_list")) and "struct" in kind:
        fields = ", ".join(
            f"{key} := nullif(trim(part.{key}::VARCHAR), '')" if f"{key}:" in kind else f"{key} := NULL"
            for key in _KEYS[1:]
        )
        parts = f"""
            list_transform(aliases, lambda part:
                struct_pack(alias := coalesce({cleaned("part.alias::VARCHAR")}, ''), {fields}))
        """
    elif kind.startswith(("list", "large_list")):
        parts = _of_texts("aliases::VARCHAR[]")
    else:
        parts = _of_texts("string_split(aliases::VARCHAR, ';')")
    return f"coalesce(({parts})::{TYPE}, [])"


def _of_texts(texts: str) -> str:
    named = f"list_filter({texts}, lambda part: trim(part) <> '')"
    return f"list_transform({named}, lambda part: {_of_text('part')})"


def _of_text(text: str) -> str:
    extracted = f"regexp_extract(trim({text}, {BLANKS}), '{_WRITTEN}', {list(_KEYS)})"
    return (
        f"struct_pack(alias := coalesce({cleaned(f'{extracted}.alias')}, ''), "
        f"valid_from := nullif({extracted}.valid_from, ''), "
        f"valid_to := nullif({extracted}.valid_to, ''))"
    )


def _of_object(part: str) -> str:
    known = ", ".join(f"'{key}'" for key in _KEYS)
    unknown = f"list_filter(json_keys({part}), lambda key: key NOT IN ({known}))"
    # Not a date, so it is among the problems.
    unknown_key = f"'unknown key ' || array_to_string({unknown}, ', ')"
    first, last = (f"nullif(trim({part} ->> '$.{key}'), '')" for key in _KEYS[1:])
    name = cleaned(f"{part} ->> '$.alias'")
    return (
        f"struct_pack(alias := coalesce({name}, ''), "
        f"valid_from := CASE WHEN len({unknown}) > 0 THEN {unknown_key} ELSE {first} END, valid_to := {last})"
    )
