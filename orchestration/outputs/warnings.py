"""The mart `warnings` as text, for the end of a run and Dagster's check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from orchestration.outputs.read_only import open_published, open_working, rows_of
from orchestration.outputs.warning_sentences import warning_sentence
from orchestration.settings import Settings

LINES_SHOWN = 20

# Errors first, then by cost, then by number of rows.
ORDER = """
    order by
        list_position(['error', 'warning', 'note'], severity),
        abs(effective_cost) desc nulls last,
        row_count desc nulls last,
        code, source, subject, billing_month, billing_currency, first_usage_date, detail, facts, place
"""


@dataclass(frozen=True)
class DataWarning:
    """A row of the mart `warnings`, with its sentence."""

    code: str
    severity: str
    source: str
    billing_month: date | None
    first_usage_date: date | None
    last_usage_date: date | None
    subject: str | None
    row_count: int | None
    billing_currency: str | None
    effective_cost: Decimal | None
    message: str
    place: str | None

    def __str__(self) -> str:
        facts = []
        if self.effective_cost is not None:
            facts.append(f"{self.effective_cost:,.2f} {self.billing_currency or ''}".strip())
        if self.billing_month:
            facts.append(f"{self.billing_month:%Y-%m}")
        elif self.first_usage_date and self.last_usage_date:
            days = {str(self.first_usage_date): None, str(self.last_usage_date): None}
            facts.append(" to ".join(days))
        if self.row_count is not None and self.row_count > 1:
            facts.append(f"{self.row_count:,} rows")
        if self.place:
            facts.append(f"see {self.place}")
        details = f" ({', '.join(facts)})" if facts else ""
        code = f"ERROR {self.code}" if self.severity == "error" else self.code
        return f"{code}: {self.message}{details}"


def published_warnings(settings: Settings) -> list[DataWarning]:
    """Published warnings, the largest first."""
    with open_published(settings) as marts:
        return _read(marts, "warnings")


def working_warnings(settings: Settings) -> list[DataWarning]:
    """Warnings of the current run, the largest first."""
    with open_working(settings) as warehouse:
        return _read(warehouse, "marts.warnings")


def shown_lines(warnings: Sequence[DataWarning], shown: int = LINES_SHOWN) -> list[str]:
    """One line for each of the largest warnings, and one that counts the rest."""
    lines = [str(warning) for warning in warnings[:shown]]
    if len(warnings) > shown:
        left = len(warnings) - shown
        lines.append(f"… and {left:,} more: select * from warnings, in published/current.duckdb")
    return lines


def _read(connection: duckdb.DuckDBPyConnection, relation: str) -> list[DataWarning]:
    columns = [name for name in DataWarning.__dataclass_fields__ if name != "message"]
    return [
        DataWarning(message=warning_sentence(row), **{name: row[name] for name in columns})
        for row in rows_of(connection, f"from {relation} {ORDER}")
    ]
