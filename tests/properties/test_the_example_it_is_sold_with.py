"""Feature A costs $10,000 on a day, customer X has 1% of its usage: X carries exactly $100.00 that day.

The page docs/how-a-cost-arises.md follows this company by hand; its figures are held to the run here.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pytest

from tests.properties.test_allocation import bill_line, build

DAY = date(2026, 3, 10)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole_day = {"type": "Usage", "currency": "USD", "end": "2026-03-11T00:00:00Z"}
    lines = [
        bill_line(Random(1), 1, DAY, "storage", Decimal(10_000), **whole_day),
        # Hour by hour, in uneven parts; X has 1% of each hour, the others change.
        bill_line(Random(1), 2, DAY, "search", Decimal(7_000), **an_hour(3)),
        bill_line(Random(1), 3, DAY, "search", Decimal(3_000), **an_hour(9)),
        bill_line(Random(1), 4, DAY, "platform", Decimal(500), **whole_day),
    ]
    records = [
        usage("gibibytes", 0, "X", 1),
        usage("gibibytes", 0, "Y", 33),
        usage("gibibytes", 0, "Z", 66),
        usage("searches", 3, "X", 7),
        usage("searches", 3, "Y", 693),
        usage("searches", 9, "X", 20),
        usage("searches", 9, "Z", 1_980),
    ]
    return build(tmp_path_factory.mktemp("example"), lines, records).with_name("published") / "current.duckdb"


def an_hour(hour: int) -> dict[str, str]:
    return {
        "type": "Usage",
        "currency": "USD",
        "start": f"2026-03-10T{hour:02}:00:00Z",
        "end": f"2026-03-10T{hour + 1:02}:00:00Z",
    }


def usage(stream: str, hour: int, customer: str, value: int) -> dict[str, str]:
    timestamp = f"2026-03-10T{hour:02}:00:00Z"
    return {"stream": stream, "timestamp": timestamp, "customer_id": customer, "value": str(value)}


@pytest.mark.parametrize("feature", ["storage", "search"])
def test_one_percent_of_ten_thousand_is_one_hundred(published: Path, feature: str) -> None:
    with duckdb.connect(str(published), read_only=True) as reader:
        costs = dict(
            reader.execute(
                "select customer_id, sum(effective_cost) from customer_costs_daily "
                "where usage_date = $1 and feature = $2 group by customer_id",
                [DAY, feature],
            ).fetchall()
        )
    assert costs["X"] == Decimal("100.00")
    assert sum(costs.values()) == Decimal("10000.00")


def test_the_figures_of_the_page_are_those_of_a_run(published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as reader:
        costs = dict(
            reader.execute(
                "select customer_id, sum(effective_cost) from customer_costs_daily group by customer_id"
            ).fetchall()
        )
        factors = reader.execute(
            "select feature, hour(usage_hour), share, pool_cost, effective_cost from allocation_explanations "
            "where customer_id = 'X' order by pool_cost desc"
        ).fetchall()
        overhead = dict(
            reader.execute(
                "select customer_id, share from allocation_explanations where allocation_kind = 'overhead'"
            ).fetchall()
        )
    percent = Decimal("0.01")
    assert costs == {"X": Decimal(205), "Y": Decimal("10485.75"), "Z": Decimal("9809.25")}
    assert factors == [
        ("storage", None, percent, 10_000, 100),
        ("search", 3, percent, 7_000, 70),
        ("search", 9, percent, 3_000, 30),
        ("platform", None, percent, 500, 5),
    ]
    assert overhead == {"X": percent, "Y": Decimal("0.5115"), "Z": Decimal("0.4785")}
    page = (Path(__file__).parents[2] / "docs" / "how-a-cost-arises.md").read_text(encoding="utf-8")
    assert all(f"{cost:,.2f}" in page for cost in costs.values())
    files = [word for word in page.split("`") if word.startswith(("dbt_project/", "contexts/"))]
    assert all((Path(__file__).parents[2] / file).is_file() for file in files)
