"""Margins by customer, segment and product, each with the sentence that says why it changed."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from orchestration.outputs.sentences import (
    Row,
    customer_margin_sentence,
    product_margin_sentence,
    segment_margin_sentence,
)

_CUSTOMERS, _SEGMENTS, _PRODUCTS = (f"{of}_margins_monthly" for of in ("customer", "segment", "product"))
_ELEMENT = "changed_dimension, changed_element, changed_element_cost"
_SERVICE = "changed_service, changed_service_cost"
_CUSTOMER = "changed_customer_id, changed_customer_name, changed_customer_margin"
MARTS = {
    "customer_margins": frozenset({_CUSTOMERS}),
    "segment_margins": frozenset({_CUSTOMERS, _SEGMENTS}),
    "product_margins": frozenset({_PRODUCTS}),
}


def select_margins(marts: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """The rows of a mart of margins; `change_reason` is a sentence, or null."""
    match name:
        case "customer_margins":
            query = f"from {_CUSTOMERS} order by billing_currency, customer_id, billing_month"
            facts = f"is_new, {_ELEMENT}, {_SERVICE}"
            return _with_reasons(marts, query, facts, customer_margin_sentence)
        case "segment_margins":
            query = f"from {_SEGMENTS} order by billing_currency, segment, billing_month"
            return _with_reasons(marts, query, _CUSTOMER, _segment_sentence(marts))
    return _with_reasons(marts, f"from {_PRODUCTS} order by all", _SERVICE, product_margin_sentence)


def _segment_sentence(marts: duckdb.DuckDBPyConnection) -> Callable[[Row], str | None]:
    moved = marts.sql(
        f"from {_CUSTOMERS} where (billing_month, customer_id, billing_currency) "
        f"in (select (billing_month, changed_customer_id, billing_currency) from {_SEGMENTS})"
    ).to_arrow_table()
    rows = {_key(row, "customer_id"): row for row in moved.to_pylist()}
    return lambda margin: segment_margin_sentence(margin, rows.get(_key(margin, "changed_customer_id")))


def _key(row: Row, customer: str) -> tuple[object, ...]:
    return row["billing_month"], row[customer], row["billing_currency"]


def _with_reasons(
    marts: duckdb.DuckDBPyConnection, query: str, facts: str, sentence: Callable[[Row], str | None]
) -> pa.Table:
    reasons = map(sentence, marts.sql(query).to_arrow_table().to_pylist())
    shown = marts.sql(f"select * exclude ({facts}) from ({query})").to_arrow_table()
    return shown.append_column("change_reason", pa.array(reasons, pa.string()))
