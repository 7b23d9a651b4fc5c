"""Resolve what `cpc explain` is asked about: customer, day and feature.

If something does not exist, the error names close matches.
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.outputs.read_only import rows_of
from orchestration.settings import ExpectedError

_NEAR = 5


class NothingToExplainError(ExpectedError):
    """No such customer, day or feature; the message names close matches."""


@dataclass(frozen=True)
class Question:
    """Customer, usage date (UTC) and optional feature to explain."""

    customer_id: str
    usage_date: date
    feature: str | None = None


def customer_id_of(warehouse: duckdb.DuckDBPyConnection, wanted: str) -> str:
    """Id of the customer whose id or name is `wanted`; names are matched ignoring case."""
    rows = rows_of(
        warehouse,
        """
        select customer_id, any_value(customer_name) as customer_name
        from
            (
                select customer_id, customer_name
                from marts.customers
                where is_customer
                union all
                select distinct customer_id, null
                from marts.customer_costs_daily
            ) as known
        group by customer_id
        order by customer_id
        """,
    )
    wanted = unicodedata.normalize("NFC", wanted.strip())
    ids = [row["customer_id"] for row in rows]
    if wanted in ids:
        return wanted
    named = [
        row["customer_id"] for row in rows if (row["customer_name"] or "").casefold() == wanted.casefold()
    ]
    if len(named) == 1:
        return str(named[0])
    if named:
        raise NothingToExplainError(
            f'"{wanted}" is the name of several customers: {", ".join(named)}. Give an id.'
        )
    names = {
        row["customer_id"]: f"{row['customer_id']} ({row['customer_name'] or 'no name'})" for row in rows
    }
    spelt = {row["customer_id"].casefold(): row["customer_id"] for row in rows}
    spelt |= {row["customer_name"].casefold(): row["customer_id"] for row in rows if row["customer_name"]}
    near = difflib.get_close_matches(wanted.casefold(), spelt, n=_NEAR, cutoff=0.5)
    shown = [names[customer_id] for customer_id in dict.fromkeys(spelt[word] for word in near)]
    raise NothingToExplainError(
        f'No customer "{wanted}". {_listed("Close matches", shown) or _listed("Known", ids[:_NEAR])}'
    )


def requires_day(warehouse: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Raise if the customer has no cost on the day."""
    days = [
        row["usage_date"]
        for row in rows_of(
            warehouse,
            "select distinct usage_date from marts.customer_costs_daily where customer_id = $customer",
            {"customer": question.customer_id},
        )
    ]
    if question.usage_date in days:
        return
    near = sorted(sorted(days, key=lambda day: (abs(day - question.usage_date), day))[:_NEAR])
    raise NothingToExplainError(
        f"{question.customer_id} has no cost on {question.usage_date}. "
        f"{_listed('Nearest', [day.isoformat() for day in near]) or 'It has none on any day.'}"
    )


def requires_feature(
    warehouse: duckdb.DuckDBPyConnection, question: Question, dimensions: tuple[str, ...]
) -> None:
    """Raise if the customer has no cost for the feature on the day, or `dimensions` lack `feature`."""
    if "feature" not in dimensions:
        raise NothingToExplainError(
            f'The contexts have no dimension "feature". {_listed("Known", list(dimensions))}'
        )
    rows = rows_of(
        warehouse,
        """
        select distinct feature
        from marts.customer_costs_daily
        where customer_id = $customer and usage_date = $day and feature is not null
        order by feature
        """,
        {"customer": question.customer_id, "day": question.usage_date},
    )
    features = [row["feature"] for row in rows]
    if question.feature not in features:
        raise NothingToExplainError(
            f'{question.customer_id} has no cost of the feature "{question.feature}" on '
            f"{question.usage_date}. {_listed('It has', features)}"
        )


def _listed(words: str, names: list[str]) -> str:
    return f"{words}: {', '.join(names)}" if names else ""
