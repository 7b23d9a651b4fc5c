"""Tags with two values under one name are told with their money; control characters are rejected."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from bills import FolderStore, csv_bytes, focus_row, land, legacy_row, parquet_bytes, query

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.cur_legacy import landed_name

# Keys that are one name, with different values and with an equal one.
CONFLICT = {"CUSTOMER": "ada", "customer": "bob", "team": "x", "TEAM": "x ", "App": "y", "app": "z"}
PLAIN = {"customer": "ada"}


def bill(form: str, *tags: dict[str, str]) -> bytes:
    """A bill of a charge of 1.50 per row of tags."""
    if form.startswith("FOCUS"):
        rows: list[dict[str, Any]] = [focus_row(Tags=each) for each in tags]
        column = "Tags"
    elif form == "legacy CUR":
        return csv_bytes(
            [legacy_row("1.5", **{f"resourceTags/user:{k}": v for k, v in each.items()}) for each in tags]
        )
    else:
        plain = [{landed_name(name): value for name, value in legacy_row("1.5").items()} for _ in tags]
        column = "tags" if form.startswith("tags") else "resource_tags"
        prefix = "resourceTags/user:" if column == "tags" else "user_"
        # AWS's own keys: user_c_u_s_t_o_m_e_r, and one user_app.
        spelled = (lambda key: key) if column == "tags" else (lambda key: landed_name(f"/{key}"))
        rows = [
            row | {column: {prefix + spelled(k): v for k, v in each.items()}}
            for row, each in zip(plain, tags, strict=True)
        ]
    if form.endswith("Parquet"):
        kinds = {column: pa.map_(pa.string(), pa.string())}
        return parquet_bytes(
            {
                name: pa.array(
                    [list(row[name].items()) if name == column else row[name] for row in rows],
                    kinds.get(name, pa.string()),
                )
                for name in rows[0]
            }
        )
    return csv_bytes([row | {column: json.dumps(row[column])} for row in rows])


FORMS = (
    "FOCUS",
    "FOCUS in Parquet",
    "legacy CUR",
    "CUR 2.0",
    "CUR 2.0 in Parquet",
    "tags",
    "tags in Parquet",
)


@pytest.mark.parametrize("form", FORMS)
def test_two_values_for_one_name_are_told_with_their_money(form: str, tmp_path: Path, landing: Path) -> None:
    store = FolderStore(tmp_path / "store")
    name = "bill.parquet" if form.endswith("Parquet") else "bill.csv"
    store.put(name, bill(form, PLAIN, CONFLICT, CONFLICT))
    land(store, landing)
    notes = duckdb.sql(
        "select subject, severity, row_count, billing_period, billing_currency, effective_cost, place, "
        "message "
        f"from '{landing}/notes/billing/*.parquet' where code = 'tag-with-two-values'"
    ).fetchall()
    shown = f"{tmp_path / 'store' / name} row 2"
    told = ("warning", 2, "2026-07", "USD", Decimal(3), shown)
    names = ["customer"] if form.startswith("CUR 2.0") else ["app", "customer"]
    assert [note[:-1] for note in sorted(notes)] == [(name, *told) for name in names]
    assert "such as ada and bob" in sorted(notes)[-1][-1]
    # The value of the key that sorts first counts; row by row, keys have one spelling in staging.
    if form == "FOCUS in Parquet":
        assert query(landing, "select distinct spelled_tags['customer'] from charges", "focus") == [("ada",)]


@pytest.mark.parametrize("form", FORMS)
def test_a_control_character_rejects_the_bill(form: str, tmp_path: Path, landing: Path) -> None:
    store = FolderStore(tmp_path / "store")
    name = "bill.parquet" if form.endswith("Parquet") else "bill.csv"
    store.put(name, bill(form, PLAIN, {"customer": "a\x01b"}))
    with pytest.raises(BillingError, match=rf"{name}: data row 2: (resource_)?tags has a control character"):
        land(store, landing)


@pytest.mark.parametrize("column", ["SubAccountId", "ServiceName", "ResourceId", "ChargeDescription"])
def test_a_control_character_in_a_name_does_so_too(column: str, tmp_path: Path, landing: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("bill.csv", csv_bytes([focus_row(**{column: 'a "b" \n'}), focus_row(**{column: "a\x00b"})]))
    with pytest.raises(BillingError, match=r"data row 2: \w+ has a control .* in 1 rows that bill 1\.50;"):
        land(store, landing)
