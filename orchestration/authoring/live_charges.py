"""Charges of the working database, seen through contexts that no run has used yet.

Runs the compiled query itself on the charges staged by the last run, so there is no second implementation of
the language, and no run is needed to see the effect of an edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.authoring.standalone_sql import standalone
from orchestration.compiler import Compilation
from orchestration.compiler.emitting.classification import CHARGES_REFERENCE
from orchestration.outputs.read_only import NotReadableError, open_working, rows_of
from orchestration.settings import Settings


@dataclass(frozen=True)
class LiveCharges:
    """The working database, opened read-only, and the location of each model in it."""

    warehouse: duckdb.DuckDBPyConnection
    schemas: dict[str, str]

    @property
    def table(self) -> str:
        """Name of the charges table."""
        return self._table("charges")

    def sql(self, compiled: str, compilation: Compilation, only: str = "true") -> str:
        """A query compiled with `compilation`, restricted to charges that satisfy `only`."""
        charges = f"(select * from {CHARGES_REFERENCE} where {only})"
        return standalone(compiled.replace(CHARGES_REFERENCE, charges), compilation, self._table)

    def rows(self, compiled: str, compilation: Compilation) -> list[dict[str, Any]]:
        """Rows of a compiled query on all charges, by column name."""
        return rows_of(self.warehouse, self.sql(compiled, compilation))

    def _table(self, model: str) -> str:
        if model not in self.schemas:
            raise NotReadableError(
                f"The working database has no {model} yet: no run got that far. Run the job: cpc run"
            )
        return f'{self.schemas[model]}."{model}"'


@contextmanager
def open_live_charges(settings: Settings) -> Iterator[LiveCharges]:
    """Open the charges staged by the last run. Raises `NotReadableError` with what to do."""
    with open_working(settings) as warehouse:
        found = warehouse.execute("select table_name, table_schema from information_schema.tables").fetchall()
        charges = LiveCharges(warehouse, dict(found))
        _ = charges.table
        yield charges
