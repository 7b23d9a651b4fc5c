"""Keys in contexts become what the macro `tag_key` makes of the keys of charges, letter for letter."""

from __future__ import annotations

import unicodedata

import duckdb
import jinja2
import pyarrow as pa

from orchestration.compiler.language.conditions import normalise_key
from tests.compiler.conftest import PROJECT

MACROS = (PROJECT / "dbt_project" / "macros" / "tag_keys.sql").read_text(encoding="utf-8")


def test_every_character_is_spelled_alike() -> None:
    # Of characters without a category, Python and the warehouse may know different versions of Unicode.
    characters = [
        chr(code) for code in range(1, 0x20000) if unicodedata.category(chr(code)) not in {"Cn", "Cs"}
    ]
    keys = pa.table({"key": [f"a{character}b{character}{character.upper()}" for character in characters]})
    spelled = jinja2.Template(f"{MACROS}{{{{ tag_key('key') }}}}").render()
    with duckdb.connect() as connection:
        connection.register("keys", keys)
        rows = connection.execute(f"select key, {spelled} from keys").fetchall()
    assert len(rows) > 70_000
    assert [(key, key_of_charge) for key, key_of_charge in rows if normalise_key(key) != key_of_charge] == []
