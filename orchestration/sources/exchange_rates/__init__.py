"""Exchange rates, for the marts in one currency (the setting `reporting_currency`)."""

from __future__ import annotations

from orchestration.sources.source import Check, Source, Table

EXCHANGE_RATES = Source(
    name="exchange_rates",
    label="exchange rates",
    module="orchestration.sources.exchange_rates.landing",
    tables=(
        Table("exchange_rates", "One row per day and pair of currencies; replaced whole."),
        Table("exchange_rates_rejected", "One row per row of a file of rates that was rejected."),
    ),
    check=Check(
        "every_row_is_a_rate",
        table="exchange_rates_rejected",
        description="No row of the files was rejected.",
    ),
)
