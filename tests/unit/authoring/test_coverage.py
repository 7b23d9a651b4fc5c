"""Coverage of the contexts as they are now, compared with sums in plain decimals; and what would raise it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestration.authoring.coverage import MonthOfDimension, coverage_by_month, largest_unclaimed
from orchestration.authoring.live_charges import open_live_charges
from orchestration.authoring.spend_profiles import make_profiles
from orchestration.authoring.suggestions import Suggestion, suggestions, yaml_to_paste
from orchestration.cli.app import app
from orchestration.settings import Settings
from orchestration.warehouse.generate import compile_project, read_contexts
from tests.unit.authoring.bill_in_warehouse import workspace_with

CONTEXTS = {
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
default: Shared
rules:
  - element: Search
    when: {tag: app, equals: search}
  - element: Alerts
    when: {tag: app, equals: alerts}
""",
    "dimensions/team.yml": """\
dimension: team
description: Who owns it
rules:
  - from: {tag: team}
""",
    "streams.yml": "streams: {}\n",
    "allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
}
JUNE, JULY = date(2026, 6, 30), date(2026, 7, 1)


def charge(day: date, cost: str, service: str, account: str = "111", **tags: str) -> dict[str, Any]:
    return {
        "usage_date": day,
        "billing_currency": "USD",
        "effective_cost": Decimal(cost),
        "service_name": service,
        "sub_account_id": account,
        "resource_id": f"arn:aws:x:::{tags.pop('name', 'i-1')}",
        "tags": tags,
    }


CHARGES = [
    charge(JUNE, "10.000000000001", "EC2", app="search", team="core"),
    charge(JUNE, "5", "S3", project="search-index", name="nw-search-archive"),
    charge(JULY, "1", "EC2", account="222", app="alerts"),
    charge(JULY, "-0.5", "S3", team="core"),
    charge(JULY, "2", "EC2", owner="core", name="nw-search-x"),
    charge(JULY, "7", "OpenSearch", app="search", name="nw-search-main"),
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return workspace_with(tmp_path, CONTEXTS, CHARGES)


def look(settings: Settings, top: int = 5) -> tuple[list[MonthOfDimension], list[Any]]:
    with open_live_charges(settings) as charges:
        dimensions = make_profiles(charges, compile_project(settings.contexts))
        months = coverage_by_month(charges.warehouse, dimensions)
        return months, largest_unclaimed(charges.warehouse, dimensions, top)


def suggested(settings: Settings, count: int) -> list[Suggestion]:
    compilation = compile_project(settings.contexts)
    with open_live_charges(settings) as charges:
        make_profiles(charges, compilation)
        return suggestions(charges, read_contexts(settings.contexts), compilation, count)


def test_months_are_split_by_how_each_dimension_got_its_element(settings: Settings) -> None:
    months, _ = look(settings)
    assert [(m.dimension, m.usage_month.month, m.matched, m.by_default, m.unmatched) for m in months] == [
        ("feature", 6, Decimal("10.000000000001"), Decimal(5), Decimal(0)),
        ("feature", 7, Decimal(8), Decimal("1.5"), Decimal(0)),
        ("team", 6, Decimal("10.000000000001"), Decimal(0), Decimal(5)),
        ("team", 7, Decimal("-0.5"), Decimal(0), Decimal(10)),
    ]
    june = months[0]
    assert (june.percent(june.matched), june.percent(june.by_default)) == (Decimal("66.67"), Decimal("33.33"))


def test_a_charge_in_parts_and_over_days_counts_once(tmp_path: Path) -> None:
    split = "  - split: {Search: 0.2, Alerts: 0.8}\n    when: {tag: app, equals: gateway}\n"
    contexts = {**CONTEXTS, "dimensions/feature.yml": CONTEXTS["dimensions/feature.yml"] + split}
    days = [charge(day, "5", "EC2", app="gateway") | {"x_spread_from": JUNE} for day in (JUNE, JULY)]
    months, groups = look(workspace_with(tmp_path, contexts, days))
    assert [(month.dimension, month.matched, month.unmatched) for month in months] == [
        *[("feature", Decimal(5), Decimal(0))] * 2,
        *[("team", Decimal(0), Decimal(5))] * 2,
    ]
    assert {(each.charge_count, each.effective_cost) for each in groups} == {(1, Decimal(10))}


def test_a_month_without_cost_has_no_percents() -> None:
    nothing = MonthOfDimension(JUNE, "USD", "team", Decimal(1), Decimal(0), Decimal(-1))
    assert nothing.percent(nothing.matched) is None


def test_what_is_unclaimed_is_grouped_four_ways(settings: Settings) -> None:
    _, groups = look(settings)
    found = [
        (g.grouped_by, g.group, g.charge_count, g.effective_cost) for g in groups if g.dimension == "feature"
    ]
    assert found == [
        ("service", "S3", 2, Decimal("4.5")),
        ("service", "EC2", 1, Decimal(2)),
        ("account", "111", 3, Decimal("6.5")),
        ("usage type", "(none)", 3, Decimal("6.5")),
        ("tag", "project=search-index", 1, Decimal(5)),
        ("tag", "owner=core", 1, Decimal(2)),
        ("tag", "team=core", 1, Decimal("-0.5")),
    ]


def test_only_the_largest_groups_of_a_kind_are_listed(settings: Settings) -> None:
    _, groups = look(settings, top=1)
    assert [(g.dimension, g.grouped_by, g.group) for g in groups] == [
        ("feature", "service", "S3"),
        ("feature", "account", "111"),
        ("feature", "usage type", "(none)"),
        ("feature", "tag", "project=search-index"),
        ("team", "service", "OpenSearch"),
        ("team", "account", "111"),
        ("team", "usage type", "(none)"),
        ("team", "tag", "app=search"),
    ]


def test_an_edit_shows_at_once(settings: Settings) -> None:
    team = settings.contexts / "dimensions" / "team.yml"
    team.write_text(team.read_text() + "  - from: {tag: owner}\n")
    months, _ = look(settings)
    assert [m.unmatched for m in months if m.dimension == "team"] == [Decimal(5), Decimal(8)]


def test_rules_are_suggested_from_what_is_claimed_already_and_from_names(settings: Settings) -> None:
    found = [(each.rule, each.why, each.claims["USD"]) for each in suggested(settings, 5)]
    # Every resource named nw-search-… that is claimed is Search; together they are worth more than the tag.
    assert found[0] == (
        "- element: Search\n  when: {charge: resource_id, contains: nw-search-}",
        "inferred: 100% of the matched cost with names like nw-search-… is Search",
        Decimal(7),
    )
    assert len(found) == len({rule for rule, _, _ in found})


def test_what_nearly_all_matched_cost_is_says_nothing_of_a_value(tmp_path: Path) -> None:
    """All matched charges of the organisation are Search, as all others are."""
    bill = [
        charge(JUNE, "50", "EC2", app="search", org="trey"),
        charge(JUNE, "5", "S3", org="trey"),
    ]
    assert suggested(workspace_with(tmp_path / "one", CONTEXTS, bill), 5) == []
    bill += [charge(JUNE, "10", "EC2", app="alerts", org="fabrikam")]
    found = {each.rule: each.why for each in suggested(workspace_with(tmp_path / "two", CONTEXTS, bill), 5)}
    rule = "- element: Search\n  when: {tag: org, equals: trey}"
    assert found[rule] == "inferred: 100% of the matched cost with the tag org: trey is Search"


def test_spellings_that_differ_in_capitals_are_one_value(tmp_path: Path) -> None:
    """The suggested rule takes all of them; the tag's own values are transformed."""
    environment = (
        "dimension: environment\nrules:\n  - element: production\n    when: {tag: stage, equals: prod}\n"
    )
    contexts = {
        **CONTEXTS,
        "dimensions/environment.yml": environment,
        "dimensions/env.yml": "dimension: env\n",
    }
    bill = [
        charge(JUNE, "5", "EC2", "111", stage="prod", env="dev"),
        charge(JUNE, "4", "S3", "222", stage="PROD", env="Dev "),
        charge(JUNE, "3", "RDS", "333", stage="Prod", env="test"),
    ]
    found = {each.dimension: each for each in suggested(workspace_with(tmp_path, contexts, bill), 1)}
    assert found["environment"].rule == (
        "- element: production\n  when: {tag: stage, equals: PROD, ignore_case: true}"
    )
    assert found["environment"].claims["USD"] == 7
    assert found["env"].rule == "- from: {tag: env}\n  transform: [trim, lower]"
    assert found["env"].claims["USD"] == 12


def paste(settings: Settings, found: list[Suggestion]) -> None:
    for each in found:
        path = settings.contexts / "dimensions" / f"{each.dimension}.yml"
        path.write_text(path.read_text() + "\n".join(f"  {line}" for line in each.rule.splitlines()) + "\n")


def matched(settings: Settings) -> Mapping[tuple[str, str], Decimal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for month in look(settings)[0]:
        sums[month.dimension, month.billing_currency] += month.matched
    return sums


WORDS = st.sampled_from(
    ["search", "nw-search-", "alerts", "Core", "a: b", "007", "yes", "#", 'q"\\', "{{ x }}", "ü"]
)
BILLS = st.lists(
    st.fixed_dictionaries(
        {
            "usage_date": st.sampled_from([JUNE, JULY]),
            "billing_currency": st.sampled_from(["USD", "EUR"]),
            "effective_cost": st.decimals("-100", "1000", places=12),
            "service_name": st.sampled_from([None, "EC2", "S3"]),
            "sub_account_id": st.sampled_from([None, "111", "222"]),
            "x_kubernetes_namespace": st.sampled_from([None, "search-prod", "x"]),
            "resource_id": st.sampled_from([None, "i-0ab", "arn:aws:s3:::nw-search-a", "nw-alerts-b"]),
            "tags": st.dictionaries(st.sampled_from(["app", "team", "project", "team_2"]), WORDS, max_size=3),
            "cost_categories": st.dictionaries(st.sampled_from(["team", "Q 1"]), WORDS, max_size=1),
        }
    ),
    max_size=30,
)


@tried(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(BILLS)
def test_a_suggestion_claims_what_it_says(
    tmp_path_factory: pytest.TempPathFactory, bill: list[dict[str, Any]]
) -> None:
    """Pasted at the end of the rules, the suggestions raise what is matched by exactly their claims."""
    settings = workspace_with(tmp_path_factory.mktemp("company"), CONTEXTS, bill)
    before = matched(settings)
    total = sum((row["effective_cost"] for row in bill), Decimal(0))
    months, _ = look(settings)
    assert sum(month.total for month in months) == 2 * total
    found = suggested(settings, 4)
    paste(settings, found)
    after = matched(settings)
    claims: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in found:
        for currency, amount in each.claims.items():
            claims[each.dimension, currency] += amount
    assert {key: after[key] - before[key] for key in after} == {key: claims[key] for key in after}


def test_the_command_shows_months_groups_and_rules_to_paste(settings: Settings) -> None:
    done = CliRunner().invoke(
        app,
        [
            "coverage",
            "--workspace",
            str(settings.workspace),
            "--contexts",
            str(settings.contexts),
            "--top",
            "1",
        ],
    )
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.output.splitlines()]
    assert ["feature", "2026-06", "USD", "10.00", "66.67", "5.00", "33.33", "0.00", "0.00"] in lines
    assert ["feature", "tag", "project=search-index", "1", "5.00", "USD"] in lines
    assert re.search(r"# dimensions/feature\.yml\n  # claims 7\.00 USD, 2 charges: ", done.output)


def test_suggestions_of_a_dimension_are_printed_together() -> None:
    each = Suggestion("feature", "- element: Search", "why", 1, {"USD": Decimal(5), "EUR": Decimal(1)})
    assert yaml_to_paste([each, each]) == "\n".join(
        [
            "# dimensions/feature.yml",
            *2 * ["  # claims 1.00 EUR + 5.00 USD, 1 charge: why", "  - element: Search"],
        ]
    )


def test_a_workspace_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["coverage", "--workspace", str(tmp_path)])
    assert done.exit_code == 1
    assert f"cpc run --workspace {tmp_path}" in done.output


def test_any_name_that_a_dimension_may_have_and_any_folder(tmp_path: Path) -> None:
    """What the queries call their own columns is tried as a dimension's name, in a folder of another name."""
    words = ("kind", "key", "value", "tag", "sign", "signs", "name_prefix", "element", "cost", "is_claimed")
    words += (
        "is_usual",
        "of_all",
        "example",
        "key_values",
        "unclaimed",
        "suggested_0",
        "profiles",
        "entries",
        "unnested",
    )
    files = {name: text for word in words for name, text in _dimension(word).items()}
    written = workspace_with(tmp_path, files, CHARGES)
    settings = Settings(
        workspace=written.workspace, contexts=(tmp_path / "contexts").rename(tmp_path / "what-we-run")
    )
    refused = compile_project(settings.contexts).problems
    assert {problem.code for problem in refused} == {"reserved-name"}
    names = set(words)
    for problem in refused:
        name = Path(problem.path).stem
        assert f'"{name}" is a column or an SQL word already' in problem.message
        (settings.contexts / "dimensions" / f"{name}.yml").unlink()
        names.remove(name)
    assert names >= {"kind", "key", "tag", "name_prefix", "suggested_0"}
    months, groups = look(settings, top=1)
    assert {month.dimension for month in months} == names
    assert {month.matched for month in months if month.usage_month.month == 6} == {Decimal("10.000000000001")}
    assert {(group.dimension, group.group) for group in groups if group.grouped_by == "service"} == {
        (name, "S3") for name in names
    }
    assert {each.dimension for each in suggested(settings, 1)} == names


def _dimension(name: str) -> dict[str, str]:
    """Contexts of one dimension of that name."""
    return {
        f"dimensions/{name}.yml": f"dimension: {name}\ndescription: Any\nrules:\n"
        "  - element: Search\n    when: {tag: app, equals: search}\n",
        "streams.yml": "streams: {}\n",
        "allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
    }
