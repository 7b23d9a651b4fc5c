"""The ways into the published marts that docs/bi.md shows for Python: every digit of money stays."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pytest

from tests.conftest import FinishedDemo


@pytest.fixture(scope="module")
def bill(finished_demo: FinishedDemo) -> Decimal:
    with closing(duckdb.connect(str(finished_demo.published), read_only=True)) as connection:
        (total,) = connection.execute("select sum(effective_cost) from customer_totals_daily").fetchall()[0]
    return Decimal(total)


def test_polars_from_parquet(finished_demo: FinishedDemo, bill: Decimal) -> None:
    totals = pl.read_parquet(finished_demo.published.parent / "current" / "customer_totals_daily")
    assert totals["effective_cost"].dtype == pl.Decimal(38, 24)
    assert totals["effective_cost"].sum() == bill


def test_polars_from_the_duckdb_file(finished_demo: FinishedDemo, bill: Decimal) -> None:
    with closing(duckdb.connect(str(finished_demo.published), read_only=True)) as connection:
        totals = connection.sql("from customer_totals_daily").pl()
    assert totals["effective_cost"].sum() == bill


def test_pandas_from_parquet(finished_demo: FinishedDemo, bill: Decimal) -> None:
    path = finished_demo.published.parent / "current" / "customer_totals_daily"
    totals = pd.read_parquet(path, dtype_backend="pyarrow")
    assert totals["effective_cost"].sum() == bill


def test_pandas_from_the_duckdb_file(finished_demo: FinishedDemo, bill: Decimal) -> None:
    with closing(duckdb.connect(str(finished_demo.published), read_only=True)) as connection:
        table = connection.sql("from customer_totals_daily").to_arrow_table()
    totals = table.to_pandas(types_mapper=pd.ArrowDtype)
    assert totals["effective_cost"].sum() == bill
