"""`cpc diff` predicts what a run with other contexts does, to the last digit."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.authoring.diff import DifferenceError, difference_since
from orchestration.authoring.diff_costs import CustomerChange, Difference, Total
from orchestration.authoring.diff_tables import markdown
from orchestration.cli.app import app
from tests.end_to_end.running import Company

COSTS = """
select customer_id, billing_currency, sum(effective_cost)
from customer_costs_daily
group by all
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def edit(company: Company) -> None:
    """Exports become search, split between the searches of the customers; idle gets a name."""
    feature = company.settings.contexts / "dimensions" / "feature.yml"
    text = feature.read_text().replace("equals: search-api", "in: [search-api, exports]")
    feature.write_text(text + "  - element: Idle\n    when: {tag: app, equals: idle}\n")


@pytest.fixture
def edited(company: Company) -> Company:
    """A company whose job has run with the contexts of HEAD, and whose work tree has others."""
    git(company.root, "init", "--quiet")
    git(company.root, "add", "contexts")
    git(company.root, "commit", "--quiet", "--message", "The contexts of the last run")
    edit(company)
    return company


def compared(company: Company, month: str | None = None) -> Difference:
    return difference_since(company.settings, "HEAD", month, lambda _: None)


def test_the_difference_is_what_the_next_run_does(edited: Company) -> None:
    before = {(customer, currency): cost for customer, currency, cost in edited.read(COSTS)}
    marts = edited.marts()
    difference = compared(edited)
    assert edited.marts() == marts
    assert list(edited.settings.workspace.glob(".dry-run-*")) == []
    good, printed = edited.run()
    assert good, printed
    after = {(customer, currency): cost for customer, currency, cost in edited.read(COSTS)}
    found = {
        (each.customer_id, each.billing_currency): (each.before, each.after) for each in difference.customers
    }
    zero = Decimal(0)
    assert found == {
        key: (before.get(key, zero), after.get(key, zero))
        for key in {*before, *after}
        if before.get(key, zero) != after.get(key, zero)
    }
    assert found
    moved = {(each.dimension, each.before, each.after): each.cost for each in difference.moved}
    # 3 months of 3 days; on a fourth day only what is idle costs.
    assert moved == {
        ("feature", "Exports", "Search"): 9 * Decimal("30.00"),
        ("feature", "(unmatched)", "Idle"): 10 * Decimal("7.77"),
    }
    [total] = difference.totals
    assert difference.is_exact
    assert total.charges_before == sum(before.values()) == sum(after.values())


def test_a_month_is_compared_alone(edited: Company) -> None:
    difference = compared(edited, "2026-04")
    assert {each.cost for each in difference.moved} == {3 * Decimal("30.00"), 3 * Decimal("7.77")}


def test_contexts_that_did_not_change_make_no_difference(edited: Company) -> None:
    git(edited.root, "checkout", "--quiet", "contexts")
    difference = compared(edited)
    assert (difference.moved, difference.customers) == ((), ())
    assert difference.is_exact


def test_the_command_prints_markdown_for_a_pull_request(edited: Company) -> None:
    places = ["--workspace", str(edited.settings.workspace), "--contexts", str(edited.settings.contexts)]
    done = CliRunner().invoke(app, ["diff", "HEAD", "--markdown", *places])
    assert done.exit_code == 0, done.output
    assert "| feature | Exports | Search | 9 | 270.00 | USD |" in done.output
    assert "- The bill is the same, " in done.output


def test_what_cannot_be_compared_is_said(edited: Company) -> None:
    with pytest.raises(DifferenceError, match='git does not know "nonsense"'):
        difference_since(edited.settings, "nonsense", None, lambda _: None)
    with pytest.raises(DifferenceError, match='git does not know "--all"'):
        difference_since(edited.settings, "--all", None, lambda _: None)
    (edited.settings.contexts / "dimensions" / "feature.yml").write_text("dimension: feature\nruls: []\n")
    with pytest.raises(DifferenceError, match=r"feature\.yml:2:1 unknown-key"):
        compared(edited)


def test_names_stay_text_in_markdown_and_totals_that_differ_are_loud() -> None:
    odd = CustomerChange("a|b", "<script>*x*</script>", "USD", Decimal(0), Decimal("1.005"))
    wrong = Total("USD", Decimal(1), Decimal(1), Decimal(1), Decimal("0.999999999999"))
    text = markdown(Difference((), (odd,), 1, (wrong,)), "Title", 5)
    assert "| \\<script\\>\\*x\\*\\</script\\> (a\\|b) | 0.00 | 1.00 | +1.00 | new | USD |" in text
    assert "THE TOTALS DIFFER in USD" in text
    assert not Difference((), (), 0, (wrong,)).is_exact
