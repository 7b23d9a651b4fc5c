"""Real bills of real accounts land with their exact totals, as AWS delivers them and as bare files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import bills
import duckdb
from bills import Store, land, query

from tests.real_bills import DATA, needs_real_bills

OCTOBER, NOVEMBER = (f"{month}2018-WorkshopCUR-00001.snappy.parquet" for month in ("Oct", "Nov"))
LEGACY_CSV, FOCUS = "aws-cur-legacy-sample.csv", "focus-1.0-sample.csv"

pytestmark = needs_real_bills

# Amortised as the project counts it, written by hand: these bills have no Savings Plans.
TOTALS = """
    select billing_period, count(*), sum(line_item_unblended_cost), sum(pricing_public_on_demand_cost),
        sum(case line_item_line_item_type
            when 'DiscountedUsage' then reservation_effective_cost
            when 'RIFee' then reservation_unused_amortized_upfront_fee_for_billing_period
                + reservation_unused_recurring_fee
            else line_item_unblended_cost end)
    from charges group by all order by all
"""
OCTOBER_TOTALS = ("2018-10", 119307, Decimal("4064.483131537900"), Decimal("4237.681735417500"))
NOVEMBER_TOTALS = ("2018-11", 124340, Decimal("3505.326968126800"), Decimal("3671.199305967000"))
AMORTISED = {"2018-10": Decimal("4195.957109317900"), "2018-11": Decimal("3632.559846496800")}
SAMPLE = Decimal("1.682308697400")


def check_totals(landing: Path) -> None:
    october, november, sample = query(landing, TOTALS)
    assert october == (*OCTOBER_TOTALS, AMORTISED["2018-10"])
    assert november == (*NOVEMBER_TOTALS, AMORTISED["2018-11"])
    assert sample[:3] == ("2023-11", 1281, SAMPLE)
    assert query(landing, "select count(*), sum(billed_cost), sum(effective_cost) from charges", "focus") == [
        (1000, Decimal("20.520226728990"), Decimal("14.976514185860"))
    ]
    source = "select sum(source_billed_cost), sum(row_count)::int from days group by family order by 1"
    assert query(landing, source) == [
        (Decimal("20.520226728990"), 1000),
        (OCTOBER_TOTALS[2] + NOVEMBER_TOTALS[2] + SAMPLE, 119307 + 124340 + 1281),
    ]


def test_as_aws_delivers_them(store: Store, landing: Path) -> None:
    for month, name in (("2018-10", OCTOBER), ("2018-11", NOVEMBER)):
        bills.put_legacy(store, {name: (DATA / name).read_bytes()}, month=month, root="cur/workshop")
    packed = bills.gzip_bytes((DATA / LEGACY_CSV).read_bytes())
    bills.put_legacy(store, {"sample-1.csv.gz": packed}, month="2023-11", root="cur/sample")
    store.put("focus/focus-1.0-sample.csv", (DATA / FOCUS).read_bytes())
    result = land(store, landing)
    check_totals(landing)
    assert result.overlaps == ()
    assert query(landing, "select distinct length(line_item_usage_account_id) from charges") == [(12,)]
    # A tag column that only November's file has; the oracle reads that file by itself.
    tagged = (
        "count(nullif(resource_tags_user_tag21_nov, '')), count(nullif(resource_tags_user_cost_center, ''))"
    )
    with duckdb.connect() as connection:
        expected = connection.execute(f"select {tagged} from '{DATA / NOVEMBER}'").fetchall()
    assert (
        query(
            landing,
            "select count(resource_tags['user_tag21_nov']), count(resource_tags['user_cost_center']) "
            "from charges where billing_period = '2018-11'",
        )
        == expected
    )


def test_as_somebody_downloaded_them(landing: Path) -> None:
    class Downloads:
        location = str(DATA)

        def client(self) -> None: ...

    result = land(Downloads(), landing)  # type: ignore[arg-type]
    check_totals(landing)
    assert [found.status for found in result.deliveries] == ["landed"] * 4
    assert {name: count for found in result.deliveries for name, count in found.new_columns.items()} == {
        "Id": 1000
    }
