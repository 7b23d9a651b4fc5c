"""Rules without a charge are named by file and line; when they cannot be known, that is said instead."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from orchestration.reports.unused_rules import warnings_of_unused_rules
from orchestration.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path)


@pytest.fixture
def warehouse(settings: Settings) -> None:
    with closing(duckdb.connect(str(settings.warehouse_file))) as connection:
        connection.execute("create schema context; create schema rules")
        connection.execute("create table rules.context_version as select 'now' as contexts_fingerprint")
        connection.execute(
            "create table rules.context_rules as from (values "
            "('feature', 0, 'Shared', 'f.yml', 1), ('feature', 1, 'Search', 'f.yml', 5), "
            "('feature', 2, 'Alerts', 'f.yml', 7), ('team', 1, 'tag team', 't.yml', 3), "
            "('team', 2, 'Core', 't.yml', 4)"
            ") as rules(dimension, rule_position, element, context_file, context_line)"
        )
        # The default of a dimension is no rule that could be unused; NULL is a charge that is unmatched.
        connection.execute(
            "create table context.charges_in_context as "
            "from (values (1, null), (1, 2)) as charges(feature_rule, team_rule)"
        )


@pytest.mark.usefixtures("warehouse")
def test_rules_that_claim_nothing_are_named(settings: Settings) -> None:
    assert warnings_of_unused_rules(settings, "now") == [
        "f.yml:7 warning: this rule of feature (Alerts) claims no charge on this bill",
        "t.yml:3 warning: this rule of team (tag team) claims no charge on this bill",
    ]


@pytest.mark.usefixtures("warehouse")
def test_a_bill_classified_by_other_contexts_says_nothing_about_these(settings: Settings) -> None:
    [line] = warnings_of_unused_rules(settings, "other")
    assert "the last run used other contexts" in line
    assert f"cpc run --workspace {settings.workspace}" in line


def test_a_warehouse_without_contexts_says_so(settings: Settings) -> None:
    with closing(duckdb.connect(str(settings.warehouse_file))):
        pass
    [line] = warnings_of_unused_rules(settings, "now")
    assert "no run has got as far" in line


@pytest.mark.usefixtures("warehouse")
def test_a_warehouse_that_is_gone_is_said_with_what_to_do(settings: Settings) -> None:
    settings.warehouse_file.unlink()
    [line] = warnings_of_unused_rules(settings, "now")
    assert "Run the job first" in line
