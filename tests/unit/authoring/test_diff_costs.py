"""What moves between elements, on random charges and splits, against sums in plain decimals."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.authoring.diff_costs import Difference, Moved, compare

Parts = dict[str | None, Decimal]


def database(path: Path, charges: list[Parts], dimensions: tuple[str, ...]) -> Path:
    """A database of the job, as far as a comparison reads it; each charge in the parts of its elements."""
    path.unlink(missing_ok=True)
    with closing(duckdb.connect(str(path))) as made:
        elements = "".join(f", {name} varchar" for name in dimensions)
        made.execute("create schema rules; create schema context; create schema marts")
        made.execute(
            "create table rules.context_rules as select unnest($1::varchar[]) as dimension", [dimensions]
        )
        made.execute(
            "create table context.charges_in_context (charge_id varchar, usage_date date, "
            f"billing_currency varchar, charge_part bigint, effective_cost decimal(38, 12){elements})"
        )
        made.execute(
            "create table marts.customer_costs_daily (usage_date date, customer_id varchar, "
            "billing_currency varchar, effective_cost decimal(38, 12)); "
            "create table marts.customers (customer_id varchar, customer_name varchar)"
        )
        rows = [
            (
                f"charge {number // 2}",
                f"2026-10-{1 + number % 2:02d}",
                "USD",
                part,
                cost,
                *[element] * len(dimensions),
            )
            for number, parts in enumerate(charges)
            for part, (element, cost) in enumerate(parts.items(), start=int(len(parts) > 1))
        ]
        places = ", ".join("?" for _ in range(5 + len(dimensions)))
        made.executemany(f"insert into context.charges_in_context values ({places})", rows)
    return path


elements = st.sampled_from(["Search", "Exports", "Alerts", None])


@st.composite
def two_sides(draw: st.DrawFn) -> tuple[list[Parts], list[Parts]]:
    sides: tuple[list[Parts], list[Parts]] = ([], [])
    for _ in range(draw(st.integers(1, 6))):
        cost = Decimal(draw(st.integers(-(10**6), 10**6))).scaleb(-draw(st.sampled_from([2, 12])))
        for side in sides:
            names = draw(st.lists(elements, min_size=1, max_size=4, unique=True))
            parts = dict.fromkeys(names, cost / 10)
            parts[names[-1]] = cost - (len(names) - 1) * (cost / 10)
            side.append({name: part.quantize(Decimal("1E-12")) for name, part in parts.items()})
            side[-1][names[-1]] += cost - sum(side[-1].values())
    return sides


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(two_sides())
def test_all_that_an_element_loses_or_gains_is_told(
    tmp_path_factory: Any, sides: tuple[list[Parts], list[Parts]]
) -> None:
    folder = tmp_path_factory.mktemp("sides")
    before, after = (
        database(folder / f"{name}.duckdb", side, ("feature",))
        for name, side in zip("ba", sides, strict=True)
    )
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for sign, side in zip((-1, 1), sides, strict=True):
        for parts in side:
            for element, cost in parts.items():
                expected[element or "(unmatched)"] += sign * cost
    told: defaultdict[str, Decimal] = defaultdict(Decimal)
    for move in compare(before, after).moved:
        assert move.before is not None
        assert move.after is not None
        assert move.before != move.after
        told[move.before] -= move.cost
        told[move.after] += move.cost
    assert {name: cost for name, cost in told.items() if cost} == {
        name: cost for name, cost in expected.items() if cost
    }


def moved(folder: Path, before: list[Parts], after: list[Parts]) -> Difference:
    return compare(
        database(folder / "before.duckdb", before, ("feature",)),
        database(folder / "after.duckdb", after, ("feature",)),
    )


def test_an_edited_fixed_split_moves_what_it_moves(tmp_path: Path) -> None:
    """0.6 and 0.4 become 0.25 and 0.75: 105.00 of two days' 300.00 move; the charge is one."""
    before: list[Parts] = [{"Search": Decimal(90), "Exports": Decimal(60)}] * 2
    after: list[Parts] = [{"Search": Decimal("37.5"), "Exports": Decimal("112.5")}] * 2
    assert moved(tmp_path, before, after).moved == (
        Moved("feature", "USD", "Search", "Exports", 1, Decimal(105)),
    )


def test_a_credit_moves_as_a_cost_does(tmp_path: Path) -> None:
    before: list[Parts] = [{"Search": Decimal(-10)}]
    after: list[Parts] = [{"Search": Decimal(-4), "Exports": Decimal(-6)}]
    assert moved(tmp_path, before, after).moved == (
        Moved("feature", "USD", "Search", "Exports", 1, Decimal(-6)),
    )


def test_of_a_dimension_that_one_side_lacks_everything_moves(tmp_path: Path) -> None:
    charges: list[Parts] = [{"Search": Decimal(3), None: Decimal(2)}]
    sides = [
        database(tmp_path / f"{number}.duckdb", charges, dimensions)
        for number, dimensions in enumerate((("feature",), ("feature", "team")))
    ]
    assert set(compare(*sides).moved) == {
        Moved("team", "USD", None, "Search", 1, Decimal(3)),
        Moved("team", "USD", None, "(unmatched)", 1, Decimal(2)),
    }
