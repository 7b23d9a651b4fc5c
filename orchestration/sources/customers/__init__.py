"""The customer list: names, segments and aliases."""

from __future__ import annotations

from orchestration.sources.source import Source, Table

CUSTOMERS = Source(
    name="customers",
    label="customers",
    module="orchestration.sources.customers.landing",
    tables=(Table("customers", "One row per customer, as the list of customers says; replaced whole."),),
)
