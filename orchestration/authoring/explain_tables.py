"""Terminal output of an explanation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.authoring.explain import Explanation, explain, rule_places
from orchestration.authoring.explain_query import Question
from orchestration.outputs.read_only import open_working
from orchestration.settings import Settings

MOST_POOLS = 50


def show_explanation(settings: Settings, question: Question, charges: int, console: Console) -> bool:
    """Print the explanation; True if pools and mart agree to the last digit.

    Raises `NothingToExplainError` and `NotReadableError`.
    """
    with open_working(settings) as warehouse:
        explanation = explain(warehouse, question, charges)
        places = rule_places(warehouse)
    asked = explanation.question
    feature = f", feature {asked.feature}" if asked.feature is not None else ""
    console.print(f"[bold]{escape(asked.customer_id)} on {asked.usage_date}{escape(feature)}[/]")
    console.print(_pools(explanation))
    _print_totals(explanation, console)
    console.print(_charges(explanation, places))
    return explanation.is_exact


def _pools(explanation: Explanation) -> Table:
    table = _table("Effective cost: each pool times the share of it")
    of_dimensions = ", ".join(explanation.dimensions).capitalize()
    for name in ("#", "Service", of_dimensions, "Category", "Rule", "Divided by", "Window"):
        table.add_column(name, overflow="fold")
    for name in ("Its usage", "of all", "Share", "Pool", "Its cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for pool in explanation.pools[:MOST_POOLS]:
        method = pool["stream"] or pool["method"] or ""
        table.add_row(
            str(pool["number"]),
            escape(pool["service_name"] or "(none)"),
            escape(", ".join(str(pool[name] or "(unmatched)") for name in explanation.dimensions)),
            escape(pool["charge_category"] or ""),
            escape(f"{pool['allocation_rule'] or '(none)'} {pool['rule_place'] or ''}".strip()),
            escape(f"{method} ({pool['unallocated_reason']})" if pool["unallocated_reason"] else method),
            _window(pool),
            _plain(pool["usage_quantity"] if pool["carried_cost"] is None else pool["carried_cost"]),
            _plain(pool["total_usage"] if pool["carried_cost"] is None else pool["total_carried_cost"]),
            _plain(pool["share"]),
            _money(pool["pool_cost"]),
            _money(pool["effective_cost"]),
        )
    smaller = explanation.pools[MOST_POOLS:]
    for currency in sorted({pool["billing_currency"] for pool in smaller}):
        costs = [pool["effective_cost"] for pool in smaller if pool["billing_currency"] == currency]
        table.add_row("…", f"{len(costs)} smaller, {currency}", *[""] * 9, _money(sum(costs)))
    return table


def _window(pool: dict[str, Any]) -> str:
    if pool["usage_hour"] is None:
        return pool["usage_window"] or ""
    hour = f"{pool['usage_hour']:%H:%M}"
    return hour if pool["usage_window"] == "hour" else f"{hour}: {pool['usage_window'] or 'none'}"


def _print_totals(explanation: Explanation, console: Console) -> None:
    zero = Decimal(0)
    for currency in sorted({*explanation.totals, *explanation.mart_totals}):
        pools, mart = (found.get(currency, zero) for found in (explanation.totals, explanation.mart_totals))
        sign = "=" if pools == mart else "≠"
        line = f"Pools {_money(pools)} {currency} {sign} {_money(mart)} {currency} in customer_costs_daily"
        if pools != mart:
            line += f": they differ by {_plain(pools - mart)}. The last run may not have ended; run again."
        console.print(line, style="green" if pools == mart else "bold red", highlight=False, soft_wrap=True)


def _charges(explanation: Explanation, places: dict[tuple[str, int], str]) -> Table:
    numbers: dict[int, int] = {}
    for pool in explanation.pools:
        numbers.setdefault(pool["pool_id"], pool["number"])
    table = _table("\nThe charges that weigh most in it, and the rule that claimed each dimension")
    for name in ("Pool #", "From (UTC)", "Resource", "Claimed by"):
        table.add_column(name, overflow="fold")
    for name in ("Charge", "Share"):
        table.add_column(name, justify="right", no_wrap=True)
    for charge in explanation.charges:
        claims = [_claim(charge, name, places) for name in explanation.dimensions]
        table.add_row(
            str(numbers[charge["pool_id"]]),
            f"{charge['charge_period_start']:%Y-%m-%d %H:%M}",
            escape(_charge(charge)),
            escape("\n".join(claims)),
            _money(charge["effective_cost"]),
            _plain(charge["share"]),
        )
    return table


def _charge(charge: dict[str, Any]) -> str:
    name: str = charge["resource_id"] or charge["service_name"] or charge["charge_id"]
    if charge["charge_part"] == 0:
        return name
    return f"{name} (part {charge['charge_part']}: {charge['charge_share']:.6%} of the charge)"


def _claim(charge: dict[str, Any], dimension: str, places: dict[tuple[str, int], str]) -> str:
    position = charge[f"{dimension}_rule"]
    if position is None:
        return f"{dimension}: unmatched"
    default = " (default)" if position == 0 else ""
    return f"{dimension}: {charge[dimension]} {places[dimension, position]}{default}"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=None)


def _money(amount: Decimal) -> str:
    """All significant digits, at least two after the point."""
    text = _plain(amount)
    digits = len(text.partition(".")[2])
    return text if digits > 1 else f"{amount:.2f}"


def _plain(quantity: Decimal | None) -> str:
    if quantity is None:
        return ""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
