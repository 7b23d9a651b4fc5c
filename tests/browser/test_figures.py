"""Every figure of the page is the mart's, to the last digit; the marts are asked by hand-written SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.browser.conftest import HOSTILE, Opened, exact

Marts = Callable[..., dict[str, str]]

# The first of the months that are whole in the sample, and days that are in two months.
MAY = "from=2026-05-01&to=2026-05-31"
DAYS = "from=2026-04-20&to=2026-05-03"
USD = "billing_currency = 'USD'"
NOTHING = "0." + "0" * 24


def open_tile(report: Opened, name: str) -> None:
    """Click a part of the treemap, near the corner that its own name is in."""
    tile = report.page.locator(".slice", has=report.page.locator("text", has_text=name)).first
    tile.click(position={"x": 6, "y": 6})
    report.settle()


def pivot_cells(report: Opened, caption: str, first: int) -> dict[str, str]:
    """Every figure of a pivot table that is not 0, by row and period; periods begin in the column `first`."""
    found = report.page.get_by_role("table", name=caption, exact=True).evaluate(
        """(table, first) => Object.fromEntries([...table.rows].slice(1).flatMap((row) =>
            [...row.cells].slice(first).map((cell, at) => [
                row.cells[0].innerText + " "
                    + table.tHead.rows[0].cells[first + at].innerText.replace(/\u2011/g, "-").split(",")[0],
                cell.querySelector("data.money")?.value,
            ])))""",
        first,
    )
    return {name: amount for name, amount in found.items() if amount and amount.strip("0.")}


def test_the_newest_whole_month_is_what_one_sees_first(report: Opened, marts: Marts) -> None:
    report.open("overview")
    where = f"{USD} and usage_date between '2026-05-01' and '2026-05-31'"
    everything = marts(f"select 1, sum(effective_cost) from customer_costs_daily where {where}")[1]
    where += " and customer_id = 'unallocated'"
    nobody = marts(f"select 1, sum(effective_cost) from customer_costs_daily where {where}")[1]
    assert report.figure("Total cost") == everything
    assert report.figure("Unallocated") == nobody
    mean = "select 1, mean_cost from average_customer_cost where segment is null and billing_currency = 'USD'"
    month = marts(f"{mean} and period_grain = 'monthly' and period_start = '2026-05-01'")[1]
    assert report.figure("Average per customer, 2026-05") == month
    assert report.figure("Difference from bill to marts") == NOTHING


def test_averages_by_month_and_by_day_are_the_mart(report: Opened, marts: Marts) -> None:
    for grain in ("monthly", "daily"):
        report.open(f"overview?grain={grain}")
        report.unfold()
        report.show_all_rows()
        shown = report.figures("Average cost per customer", 3)
        assert shown == marts(
            "select left(period_start::varchar, if(period_grain = 'monthly', 7, 10)), mean_cost "
            "from average_customer_cost "
            f"where period_grain = ? and segment is null and {USD}",
            grain,
        )


@pytest.mark.parametrize("days", [MAY, DAYS])
def test_dates_and_segment_filter_the_customers(report: Opened, marts: Marts, days: str) -> None:
    page = report.open(f"customers?{days}&segment=startup")
    first, last = (part.split("=")[1] for part in days.split("&"))
    expected = marts(
        f"""
        select customer_name, sum(effective_cost)
        from customer_costs_daily
        where {USD} and segment = 'startup' and usage_date between ? and ?
        group by all
        """,
        first,
        last,
    )
    assert report.figures("Cost per customer", 3) == expected
    assert HOSTILE in page.inner_text("main") or HOSTILE not in expected


def test_the_controls_of_the_bar_change_the_address_and_the_figures(report: Opened, marts: Marts) -> None:
    page = report.open("customers")
    page.get_by_label("From").fill("2026-04-20")
    report.settle()
    page.get_by_label("To", exact=True).fill("2026-05-03")
    report.settle()
    page.get_by_label("Segment").select_option("enterprise")
    report.settle()
    assert page.url.endswith(f"#customers?{DAYS}&segment=enterprise")
    assert report.figures("Cost per customer", 3) == marts(
        f"""
        select customer_name, sum(effective_cost)
        from customer_costs_daily
        where {USD} and segment = 'enterprise' and usage_date between '2026-04-20' and '2026-05-03'
        group by all
        """
    )
    page.get_by_label("Dates").select_option(label="Everything")
    report.settle()
    assert "from=2026-03-01&to=2026-06-15" in page.url


def test_costs_over_time_are_the_mart_by_customer_and_month(report: Opened, marts: Marts) -> None:
    page = report.open("explore")
    report.show_all_rows()
    # Without dates, all months there are; the newest ends with the newest day.
    name = "if(customer_id = 'unallocated', 'Unallocated', customer_name)"
    months = f"from customer_costs_daily where {USD} and usage_date <= '2026-06-15'"
    expected = marts(
        f"select {name} || ' ' || left(usage_date::varchar, 7), sum(effective_cost) {months} group by 1"
    )
    expected |= marts(
        f"select 'Total ' || left(usage_date::varchar, 7), sum(effective_cost) {months} group by 1"
    )
    assert pivot_cells(report, "Cost by customer", 5) == expected
    change = "sum(if(billing_month >= '2026-05-01', effective_cost, -effective_cost))::decimal(38, 24)"
    two = f"{USD} and usage_date between '2026-04-01' and '2026-05-31'"
    assert report.figures("Cost by customer", 3) == {
        **dict.fromkeys(report.figures("Cost by customer", 3), NOTHING),
        **marts(f"select {name}, {change} from customer_costs_daily where {two} group by 1"),
    }
    assert page.locator("thead", has_text="Change").inner_text().count("from") == 1


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("segment", "if(customer_id = 'unallocated', '(none)', segment)"),
        ("team", "coalesce(team, '(none)')"),
        ("service_name", "service_name"),
        ("unallocated_reason", "coalesce(unallocated_reason, '(none)')"),
    ],
)
def test_costs_are_grouped_by_anything_by_day(report: Opened, marts: Marts, by: str, column: str) -> None:
    page = report.open(f"explore?by={by}&grain=daily&{DAYS}")
    title = page.locator("main h2").first.inner_text().removesuffix(" and day")
    where = f"{USD} and usage_date between '2026-04-20' and '2026-05-03'"
    assert report.figures(title, 1) == marts(
        f"select {column}, sum(effective_cost) from customer_costs_daily where {where} group by 1"
    )
    expected = marts(
        f"select {column} || ' ' || usage_date::varchar, sum(effective_cost) "
        f"from customer_costs_daily where {where} group by 1"
    )
    total = marts(
        "select 'Total ' || usage_date::varchar, sum(effective_cost) "
        f"from customer_costs_daily where {where} group by 1"
    )
    assert pivot_cells(report, title, 5) == {**expected, **total}


def test_a_part_is_opened_down_to_the_service_and_back(report: Opened, marts: Marts) -> None:
    page = report.open(f"explore?as=treemap&{MAY}")
    where = f"{USD} and usage_date between '2026-05-01' and '2026-05-31'"
    costliest = marts(
        f"select customer_id, customer_name from customer_costs_daily where {where} "
        "group by all order by sum(effective_cost) desc limit 1"
    )
    ((customer, name),) = costliest.items()
    open_tile(report, name.split()[0])
    assert f"customer={customer}" in page.url
    for column, opened in (("product", "Insights"), ("feature", "Search"), ("team", None)):
        mine = f"{where} and customer_id = '{customer}'"
        shown = report.figures(f"Cost by {column}", 1)
        assert shown == marts(
            f"select {column}, sum(effective_cost) from customer_costs_daily where {mine} group by 1"
        )
        if opened:
            where += f" and {column} = '{opened}'"
            page.locator("tbody").get_by_role("link", name=opened, exact=True).click()
            report.settle()
    page.get_by_role("link", name="Service", exact=True).click()
    report.settle()
    services = f"select service_name, sum(effective_cost) from customer_costs_daily where {mine} group by 1"
    assert report.figures("Cost by service", 1) == marts(services)
    chips = page.get_by_role("navigation", name="Filters set")
    chips.get_by_role("link", name="Remove filter Product: Insights").click()
    report.settle()
    assert "where=feature" in page.url
    page.get_by_label("Feature", exact=True).select_option(label="All")
    report.settle()
    assert "where=" not in page.url
    chips.get_by_role("link", name=f"Remove filter Customer: {name}").click()
    report.settle()
    assert "customer=" not in page.url


def test_a_service_opens_down_to_its_resources(report: Opened, marts: Marts) -> None:
    page = report.open(f"explore?by=service_name&{MAY}")
    page.locator("tbody").get_by_role("link", name="Amazon EC2", exact=True).click()
    report.settle()
    where = f"service_name = 'Amazon EC2' and {USD} and usage_date between '2026-05-01' and '2026-05-31'"
    assert "figures are those of the whole bill" in page.locator("main").inner_text()

    def costs(column: str, source: str) -> dict[str, str]:
        return marts(f"select {column}, sum(effective_cost) from {source} where {where} group by all")

    def shown(caption: str) -> dict[str, str]:
        report.show_all_rows()
        return report.figures(f"Cost by {caption}", 1)

    total = costs("'Total'", "service_costs_daily")["Total"]
    found, expected = shown("usage type"), costs("usage_type", "service_costs_daily")
    others = Decimal(found.pop("Other usage types"))
    assert len(found) == 100 < len(expected)
    assert found == {name: expected[name] for name in found}
    assert sum(map(Decimal, found.values())) + others == Decimal(total)
    page.get_by_role("link", name="Account", exact=True).click()
    report.settle()
    assert shown("account") == costs("sub_account_id", "service_costs_daily")
    page.locator("tbody").get_by_role("link", name="222222222222", exact=True).click()
    report.settle()
    page.get_by_role("link", name="Resource", exact=True).click()
    report.settle()
    where += " and sub_account_id = '222222222222'"
    total = costs("'Total'", "service_costs_daily")["Total"]
    name = "coalesce(if(resource_name = 'web', 'web (' || resource_id || ')', resource_id), '(none)')"
    found, expected = shown("resource"), costs(name, "resource_costs_daily")
    others = Decimal(found.pop("Other resources"))
    assert 20 < len(found) < len(expected)
    assert found == {name: expected[name] for name in found}
    assert sum(map(Decimal, found.values())) + others == Decimal(total)


def test_resources_are_of_the_months_that_have_all_of_them(report: Opened, marts: Marts) -> None:
    page = report.open("explore?by=resource_id&from=2026-04-01&to=2026-06-15")
    assert "Resources are available from 2026-05 on." in page.locator("main").inner_text()
    since = marts(
        f"select 1, sum(effective_cost) from service_costs_daily where {USD} "
        "and usage_date between '2026-05-01' and '2026-06-15'"
    )
    assert exact(page.locator("#explored data")) == since[1]


def test_cost_that_nobody_carries_opens_by_its_reason(report: Opened, marts: Marts) -> None:
    page = report.open(f"explore?{MAY}")
    report.show_all_rows()
    page.locator("tbody").get_by_role("link", name="Unallocated", exact=True).click()
    report.settle()
    assert report.figures("Cost by reason unallocated", 1) == marts(
        "select unallocated_reason, sum(effective_cost) from customer_costs_daily "
        "where customer_id = 'unallocated' and usage_date between '2026-05-01' and '2026-05-31' group by all"
    )


def test_every_way_of_carrying_cost_is_named(report: Opened, marts: Marts) -> None:
    report.open(f"overview?{MAY}")
    costs = marts(
        f"""
        select coalesce(unallocated_reason, allocation_kind), sum(effective_cost)
        from customer_costs_daily
        where {USD} and usage_date between '2026-05-01' and '2026-05-31'
        group by all
        """
    )
    names = {
        "Customers: measured usage": "usage",
        "Customers: their own resources": "direct",
        "Customers: equal shares": "even",
        "Customers: fixed shares": "fixed",
        "Customers: overhead": "overhead",
        "Unallocated: no rule": "no rule",
        "Unallocated: not cost of goods sold": "not cost of goods sold",
    }
    assert report.figures("Cost by allocation", 1) == {name: costs[of] for name, of in names.items()}
    come = report.page.locator("p.note", has_text="Charges beyond 2026-06-15")
    where = f"{USD} and unallocated_reason = 'day to come'"
    assert (
        exact(come.locator("data"))
        == marts(f"select 1, sum(effective_cost) from customer_costs_daily where {where}")[1]
    )


def test_warnings_are_the_mart_with_the_weightiest_first(report: Opened, marts: Marts) -> None:
    page = report.open("warnings")
    rows = report.table("All warnings")
    assert rows.evaluate_all("(rows) => rows.map((row) => row.cells[0].innerText)") == [
        "record_rejected",
        "customer_not_listed",
        "file_read",
    ]
    costs = marts("select code, effective_cost from warnings")
    figure = rows.nth(1).locator("data")
    assert exact(figure) == costs["customer_not_listed"]
    assert figure.get_attribute("title") == f"{costs['customer_not_listed']} EUR"
    assert [exact(rows.first.locator("data")), rows.nth(2).locator("data").count()] == [
        costs["record_rejected"],
        0,
    ]
    assert "cust <b>9</b>" in rows.nth(1).inner_text()
    report.open("overview")
    assert (
        "2 warnings, the largest of billing: Four rows are not numbers." in page.locator("main").inner_text()
    )


def test_a_customer_is_found_by_name_and_its_page_says_what_changed(report: Opened, marts: Marts) -> None:
    page = report.open(f"explore?{MAY}")
    field = page.get_by_role("combobox", name="Customer")
    field.fill("customer 7")
    field.press("ArrowDown")
    assert page.get_by_role("option", name="Customer 7").get_attribute("aria-selected") == "true"
    field.press("Enter")
    report.settle()
    assert "customer=cust-00007" in page.url
    assert page.get_by_role("heading", level=1).inner_text() == "Customer 7"
    mine = f"{USD} and customer_id = 'cust-00007'"
    may = "usage_date between '2026-05-01' and '2026-05-31'"
    april = "usage_date between '2026-04-01' and '2026-04-30'"
    assert (
        report.figure("Cost")
        == marts(f"select 1, sum(effective_cost) from customer_costs_daily where {mine} and {may}")[1]
    )
    report.show_all_rows()
    shown = report.figures("Cost changes from the previous period", 1)
    assert shown == marts(
        f"""
        select
            if(product = feature, feature, product || ' \u203a ' || feature) || ' \u203a ' || service_name,
            sum(if({may}, effective_cost, -effective_cost))::decimal(38, 24)
        from customer_costs_daily
        where {mine} and ({may} or {april})
        group by all
        """
    )


def test_days_of_a_customer_are_the_mart(report: Opened, marts: Marts) -> None:
    report.open("customer?customer=cust-00000&from=2026-05-04&to=2026-05-06")
    report.unfold()
    rows = report.table("Cost by feature and day").evaluate_all(
        "(rows) => rows.map((row) => [row.cells[0].innerText + row.cells[1].innerText, "
        "row.cells[2].querySelector('data').value])"
    )
    assert dict(rows) == marts(
        "select usage_date::varchar || feature, sum(effective_cost) from customer_costs_daily "
        "where customer_id = 'cust-00000' and usage_date between '2026-05-04' and '2026-05-06' group by all"
    )


def test_segments_stand_side_by_side(report: Opened, marts: Marts) -> None:
    report.open(f"segments?{MAY}")
    assert report.figures("Segments in their latest month", 4) == marts(
        "select segment, mean_cost from average_customer_cost where period_grain = 'monthly' "
        f"and period_start = '2026-05-01' and segment is not null and {USD}"
    )


def test_currencies_stay_apart(report: Opened, marts: Marts) -> None:
    page = report.open(f"customers?{MAY}")
    page.get_by_label("Currency").select_option("EUR")
    report.settle()
    assert report.figures("Cost per customer", 3) == marts(
        "select customer_name, sum(effective_cost) from customer_costs_daily "
        "where billing_currency = 'EUR' "
        "and usage_date between '2026-05-01' and '2026-05-31' group by all"
    )


def test_unit_costs_and_coverage_are_the_mart(report: Opened, marts: Marts) -> None:
    report.open(f"units?{DAYS}")
    report.unfold()
    assert report.figures("Unit cost of search_queries", 3) == marts(
        f"select usage_date::varchar, sum(effective_cost) from unit_costs_daily where {USD} "
        "and usage_date between '2026-04-20' and '2026-05-03' group by all"
    )
    # By segment, per thousand, each month that there is until then; the total is of all customers.
    heading = report.page.get_by_role("heading", level=2).first
    assert heading.inner_text() == "Search queries: cost per 1,000 queries"
    shown = pivot_cells(report, "Unit cost of search_queries by segment", 1)
    cost = (
        "(divide(replace(sum(effective_cost)::varchar, '.', '')::hugeint, "
        "(sum(usage_quantity) * 1000000000000)::hugeint) * 1000)::decimal(38, 0) * 0.000000000001"
    )
    months = f"from unit_costs_daily where {USD} and usage_date <= '2026-05-31' group by 1"
    month = f"' ' || left(usage_date::varchar, 7), ({cost})::decimal(38, 24)"
    expected = marts(f"select segment || {month} {months}")
    assert shown == expected | marts(f"select 'All customers' || {month} {months}")
    report.open(f"coverage?{DAYS}")
    for column, coverage in ((1, "rule"), (3, "default"), (5, "unmatched")):
        assert report.figures("Cost by dimension and coverage", column) == marts(
            f"""
            select dimension, coalesce(sum(effective_cost) filter (coverage = ?), 0)::decimal(38, 12)
            from context_coverage
            where {USD} and usage_date between '2026-04-20' and '2026-05-03'
            group by all
            """,
            coverage,
        )


def test_every_hop_is_there_with_a_difference_of_nothing(report: Opened, marts: Marts) -> None:
    page = report.open(f"reconciliation?{DAYS}")
    caption = "Sums of 2026-04-20 to 2026-05-03 by hop"
    for column, name in ((1, "billed_cost"), (2, "effective_cost")):
        assert report.figures(caption, column) == marts(
            f"select hop, sum(hop_cost) from reconciliation where {USD} and cost_column = ? "
            "and usage_date between '2026-04-20' and '2026-05-03' group by all",
            name,
        )
    assert set(report.figures(caption, 3).values()) == {NOTHING}
    caption = "Sums of 2026-04-20 to 2026-05-03 in the files and after landing"
    for column, hop in ((1, "files"), (2, "landing")):
        assert report.figures(caption, column) == marts(
            f"select cost_column, sum(hop_cost) from reconciliation where {USD} and hop = ? "
            "and cost_column = 'line_item_unblended_cost' "
            "and usage_date between '2026-04-20' and '2026-05-03' group by all",
            hop,
        )
    assert report.figures(caption, 3) == {"line_item_unblended_cost": NOTHING}
    assert exact(page.locator("#reconciled data")) == NOTHING


def test_all_digits_can_be_shown(report: Opened) -> None:
    page = report.open(f"customers?{MAY}")
    figure = report.table("Cost per customer").first.locator("data").first
    assert figure.get_attribute("title") == f"{exact(figure)} USD"
    assert len(figure.inner_text().split(".")[1]) == 2
    page.get_by_label("All digits").check()
    report.settle()
    assert figure.inner_text() == exact(figure)
    page.get_by_label("All digits").uncheck()
    report.settle()


def test_margins_are_the_mart(report: Opened, marts: Marts) -> None:
    page = report.open(f"margins?{MAY}")
    report.show_all_rows()
    caption = "Margin of each customer, 2026-05"
    for column, name in ((1, "revenue"), (3, "gross_margin"), (5, "gross_margin_change")):
        assert report.figures(caption, column) == marts(
            f"select customer_name, {name} from customer_margins_monthly where billing_month = '2026-05-01'"
        )
    company = "from company_margins_monthly where billing_month = '2026-05-01'"
    assert report.figure("Gross margin, 2026-05") == marts(f"select 1, gross_margin {company}")[1]
    steps = (
        "revenue_to_date",
        "carried_cost",
        "unallocated_cost",
        "gross_margin",
        "other_cost",
        "cost_to_come",
    )
    assert list(report.figures("From revenue to gross margin", 1).values()) == [
        marts(f"select 1, {step} {company}")[1] for step in steps
    ]
    assert "1 of 30 customers cost more than they pay" in page.locator("main").inner_text()
    fell = marts(
        "select customer_name, gross_margin_change from customer_margins_monthly "
        "where billing_month = '2026-05-01' and margin_fall_rank <= 10 order by margin_fall_rank"
    )
    assert report.figures("Customers with the largest margin declines", 5) == fell


def test_anomalies_are_the_mart_with_their_drivers(report: Opened, marts: Marts) -> None:
    page = report.open(f"anomalies?{MAY}")
    first, second = (page.locator("article.anomaly").nth(place) for place in (0, 1))
    names = list(marts("select customer_name, 0 from cost_anomalies order by impact_rank"))
    assert first.get_attribute("aria-label") == f"{names[0]}: Search"
    assert [exact(first.locator("dd data").nth(place)) for place in range(5)] == [
        marts(f"select 1, {column} from cost_anomalies where impact_rank = 1")[1]
        for column in ("expected_cost", "actual_cost", "cost_impact", "usage_effect", "rate_effect")
    ]
    assert f" for {names[0]} (" in first.inner_text()
    assert "; carried by Amazon <i>EC2</i> (" in first.inner_text()
    assert "Amazon <i>EC2</i>" in first.inner_text()
    # What shows the same cause has no card of its own.
    assert f"Same cause: {names[1]}: Search" in first.inner_text()
    assert second.get_attribute("aria-label") == f"{names[2]}: Search"
    # A title is a link to this anomaly alone.
    first.get_by_role("link", name=f"{names[0]}: Search").first.click()
    report.settle()
    assert "anomaly=" in page.url
    assert page.locator("article.anomaly").count() == 1
    customer = next(iter(marts("select customer_id, 0 from cost_anomalies where impact_rank = 3")))
    report.open(f"customer?{MAY}&customer={customer}")
    assert page.locator("article.anomaly").count() == 1
    report.open("anomalies?from=2026-03-01&to=2026-03-31")
    assert "No anomalies in this period" in page.locator("main").inner_text()


def test_a_customers_usage_stands_beside_its_cost(report: Opened, marts: Marts) -> None:
    page = report.open(f"customer?{MAY}&customer=cust-00003&stream=search_queries")
    block = page.locator("section", has=page.get_by_role("heading", name="Usage and cost"))
    block.get_by_text("Show as table").click()
    block.locator("table").wait_for()
    report.show_all_rows()
    caption = "search_queries used, and cost"
    mine = "customer_id = 'cust-00003' and usage_date between '2026-05-01' and '2026-05-31'"
    assert report.figures(caption, 1) == marts(
        f"select usage_date::varchar, usage_quantity from usage_daily where {mine} "
        "and stream = 'search_queries'"
    )
    # Not all cost by usage: only what this stream divided.
    assert report.figures(caption, 2) == {
        **dict.fromkeys(report.figures(caption, 2), NOTHING),
        **marts(
            f"select usage_date::varchar, sum(effective_cost) from unit_costs_daily where {mine} and {USD} "
            "and stream = 'search_queries' group by all"
        ),
    }
    assert report.figures(caption, 3) == marts(
        f"""
        select
            usage_date::varchar,
            (divide(
                replace(sum(effective_cost)::varchar, '.', '')::hugeint,
                (sum(usage_quantity) * 1000000000000)::hugeint
            )::decimal(38, 0) * 0.000000000001)::decimal(38, 24)
        from unit_costs_daily
        where {USD} and usage_date between '2026-05-01' and '2026-05-31'
        group by all
        """
    )
    assert "Cost per query, all customers" in block.inner_text()


def test_rules_behind_a_customers_cost_are_the_mart(report: Opened, marts: Marts) -> None:
    page = report.open(f"customer?{MAY}&customer=cust-00003")
    caption = "Rules behind the cost of Customer 3"
    for column, name in ((4, "effective_cost"), (5, "pool_cost")):
        assert report.figures(caption, column) == marts(
            f"""
            select if(product = feature, feature, product || ' \u203a ' || feature), sum({name})
            from allocation_explanations
            where customer_id = 'cust-00003' and {USD}
            group by all
            """
        )
    said = page.locator(
        "section", has=page.get_by_role("heading", name="Why this customer pays for it")
    ).inner_text()
    assert "2026-06-09 to 2026-06-15" in said
    assert re.search(r"Largest part: 0\.25 × [0-9.]+ = [0-9.]+ USD, ", said)
    assert "by its share of usage: search_queries" in said
