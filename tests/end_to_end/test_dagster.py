"""The definitions as Dagster itself loads and evaluates them, on a real instance."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.automation.contexts import CONTEXTS_COMPILE
from orchestration.automation.deployment import build_definitions, load_definitions
from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.workspace import dagster_home
from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.generate import ContextProblems
from tests.end_to_end import small_company
from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company

_MART = dg.AssetKey(["marts", "customer_costs_daily"])
_SNAPSHOT = dg.AssetKey(["published", "snapshot"])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, dg.Definitions]:
    company = new_company(tmp_path_factory.mktemp("loaded"))
    return company, build_definitions(company.settings)


@pytest.fixture
def instance(loaded: tuple[Company, dg.Definitions]) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(dagster_home(loaded[0].settings))) as instance:
        yield instance


def test_assets_are_named_and_grouped_by_layer(loaded: tuple[Company, dg.Definitions]) -> None:
    specs = list(loaded[1].resolve_all_asset_specs())
    assert [spec.key.to_user_string() for spec in specs if len(spec.key.path) != 2] == []
    layers = {spec.key.path[0] for spec in specs if spec.group_name == spec.key.path[0]}
    before_marts = {
        "contexts",
        "landing",
        "seeds",
        "staging",
        "signals",
        "rules",
        "usage",
        "context",
        "allocation",
    }
    assert layers == {*before_marts, "anomalies", "marts", "published", "reports"}
    assert [spec.key.to_user_string() for spec in specs if spec.key.path[0] != spec.group_name] == []


def test_the_job_is_everything_and_publishes_after_the_marts(loaded: tuple[Company, dg.Definitions]) -> None:
    graph = loaded[1].resolve_asset_graph()
    job = loaded[1].resolve_job_def(DAILY_COSTS)
    assert set(job.asset_layer.executable_asset_keys) == set(graph.executable_asset_keys)
    before_publishing = graph.get(_SNAPSHOT).parent_keys
    marts = {key for key in graph.executable_asset_keys if key.path[0] == "marts"}
    assert before_publishing == marts
    assert graph.get(dg.AssetKey(["landing", "billing_days"])).is_partitioned


def test_models_and_snapshot_are_made_together_or_not_at_all(loaded: tuple[Company, dg.Definitions]) -> None:
    graph = loaded[1].resolve_asset_graph()
    together = graph.get(_MART).execution_set_asset_keys
    behind_landing = {key for key in graph.executable_asset_keys if key.path[0] not in ("landing", "reports")}
    assert together == behind_landing
    assert _SNAPSHOT in together


def test_partitions_begin_with_the_first_month_that_has_a_bill(
    loaded: tuple[Company, dg.Definitions],
) -> None:
    months = loaded[1].resolve_asset_graph().get(dg.AssetKey(["landing", "billing_days"])).partitions_def
    assert isinstance(months, dg.MonthlyPartitionsDefinition)
    assert months.get_first_partition_key() == small_company.MONTHS[0]


@pytest.mark.parametrize(
    ("asset", "words"),
    [
        (dg.AssetKey(["landing", "billing_days"]), "Choose the billing months"),
        (dg.AssetKey(["marts", "customer_costs_daily"]), "No bill has landed yet"),
        (dg.AssetKey(["reports", "customer_cost_report"]), "current.duckdb does not exist yet"),
    ],
)
def test_what_needs_an_earlier_step_says_so(
    loaded: tuple[Company, dg.Definitions], instance: dg.DagsterInstance, asset: dg.AssetKey, words: str
) -> None:
    selection = dg.AssetSelection.assets(asset).required_multi_asset_neighbors()
    assert words in _failure(_run_of(loaded[1], selection, instance))


def test_assets_have_owners_kinds_and_descriptions(loaded: tuple[Company, dg.Definitions]) -> None:
    graph = loaded[1].resolve_asset_graph()
    for spec in loaded[1].resolve_all_asset_specs():
        assert list(spec.owners) == ["team:finops"], spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key
        awaited = spec.group_name in {"landing", "marts", "published"}
        executable = graph.get(spec.key).is_executable
        assert (spec.freshness_policy is not None) == (awaited and executable), spec.key
        assert (spec.automation_condition is not None) == executable, spec.key


def test_checks_have_descriptions_and_short_names(loaded: tuple[Company, dg.Definitions]) -> None:
    checks = [check for each in loaded[1].resolve_asset_graph().assets_defs for check in each.check_specs]
    assert len(checks) > 20
    for check in checks:
        assert len(check.name) < 60, check.name
        words = str(check.description)
        assert words[:1].isupper(), check
        assert words.endswith("."), check


def test_automation_conditions_do_what_the_schedule_does(loaded: tuple[Company, dg.Definitions]) -> None:
    """With `default_automation_condition_sensor` on: at six the landings, with them everything behind."""
    graph = loaded[1].resolve_asset_graph()
    instance = dg.DagsterInstance.ephemeral()
    at = datetime(2026, 5, 15, 5, 59, tzinfo=UTC)
    before = dg.evaluate_automation_conditions(loaded[1], instance, evaluation_time=at)
    assert before.total_requested == 0
    at_six = dg.evaluate_automation_conditions(
        loaded[1], instance, cursor=before.cursor, evaluation_time=at + timedelta(minutes=2)
    )
    bills = at_six.get_requested_partitions(dg.AssetKey(["landing", "billing_days"]))
    assert bills == {"2026-04", "2026-05"}
    requested = {key for key in graph.executable_asset_keys if at_six.get_num_requested(key)}
    assert {key for key in graph.executable_asset_keys if key.path[0] == "landing"} <= requested


def test_dbt_tests_are_asset_checks(loaded: tuple[Company, dg.Definitions]) -> None:
    checks = {key.name for key in loaded[1].resolve_asset_graph().asset_check_keys}
    assert {
        "assert_every_hop_reconciles",
        "assert_shares_of_a_set_are_one",
        "assert_no_rule_sees_usage_outside_its_filter",
    } <= checks


def test_the_run_checks_what_the_rules_do_on_the_bill(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules of a tag that no charge has are a warning beside the asset, not a failed run.

    The same run records the lineage of the marts' columns, if the settings say so.
    """
    monkeypatch.setenv("CPC_COLUMN_LINEAGE", "true")
    feature = company.settings.contexts / "dimensions" / "feature.yml"
    feature.write_text(
        feature.read_text() + "  - element: Alerts\n    when: {tag: app, equals: alerts-engine}\n"
    )
    good, printed = company.run()
    assert good, printed
    key = dg.AssetCheckKey(dg.AssetKey(["allocation", "charge_groups"]), "every_rule_claims_charges")
    with dg.DagsterInstance.from_config(str(dagster_home(company.settings))) as instance:
        [record] = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        made = instance.get_latest_materialization_event(_MART)
    assert made is not None
    assert made.asset_materialization is not None
    lineage = made.asset_materialization.metadata["dagster/column_lineage"].value
    assert lineage.deps_by_column["effective_cost"] == [
        dg.TableColumnDep(dg.AssetKey(["allocation", "cost_pools"]), "effective_cost"),
        dg.TableColumnDep(dg.AssetKey(["allocation", "shares"]), "share"),
    ]
    assert record.event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert evaluation.description == (
        "contexts/dimensions/feature.yml:8 warning: this rule of feature (Alerts) claims no charge on this "
        "bill; cpc check says whether none matches, or others come before it"
    )


def test_the_schedule_covers_the_open_months_in_one_run(
    loaded: tuple[Company, dg.Definitions], instance: dg.DagsterInstance
) -> None:
    schedule = loaded[1].resolve_schedule_def("daily_costs_at_six")
    at = datetime(2026, 5, 15, 6, tzinfo=UTC)
    tick = schedule.evaluate_tick(dg.build_schedule_context(instance=instance, scheduled_execution_time=at))
    (request,) = tick.run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == "2026-04"
    assert request.tags["dagster/asset_partition_range_end"] == "2026-05"


def test_the_sensor_starts_one_run_for_all_that_arrived(
    loaded: tuple[Company, dg.Definitions], instance: dg.DagsterInstance
) -> None:
    company, definitions = loaded
    sensor = definitions.resolve_sensor_def("arrivals")
    resources = definitions.resources or {}

    def look(cursor: str | None) -> dg.SensorResult | object:
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"s3": resources["s3"]}, definitions=definitions
        )
        return sensor.evaluate_tick(context)

    first = look(None)
    (request,) = first.run_requests
    assert request.tags["dagster/asset_partition_range_start"] == "2026-03"

    again = look(first.cursor)
    assert again.run_requests == []
    assert again.skip_message == "Nothing new"

    small_company.write_bill(company.settings.sources / "billing", "2026-05", Decimal("1.00"))
    small_company.write_customers(company.settings.sources / "customers", "dan")
    new = look(first.cursor)
    assert len(new.run_requests) == 1
    assert new.run_requests[0].run_key != request.run_key

    # The partitions were made when the location was loaded; a bill before them waits for the next time.
    small_company.write_bill(company.settings.sources / "billing", "2025-11")
    earlier = look(new.cursor)
    assert earlier.skip_message == "Nothing new"
    reloaded = build_definitions(company.settings).resolve_sensor_def("arrivals")
    context = dg.build_sensor_context(
        instance=instance, cursor=new.cursor, resources={"s3": resources["s3"]}, definitions=definitions
    )
    (request,) = reloaded.evaluate_tick(context).run_requests or ()
    assert request.tags["dagster/asset_partition_range_start"] == "2025-11"

    # A run that has not begun yet will find what arrives now; a second one would have nothing left to do.
    waiting = definitions.resolve_job_def(DAILY_COSTS)
    run = instance.create_run_for_job(waiting, status=dg.DagsterRunStatus.NOT_STARTED)
    assert look(first.cursor).run_requests == []
    instance.report_run_canceled(run)


def test_an_edited_context_is_in_effect_after_a_reload(loaded: tuple[Company, dg.Definitions]) -> None:
    company, before = loaded
    dimensions = company.settings.contexts / "dimensions"
    rules = "rules:\n  - element: idle\n    when: {tag: app, equals: idle}\n"
    (dimensions / "tier.yml").write_text(f"dimension: tier\ndescription: What kind\n{rules}")
    after = build_definitions(company.settings)

    def columns(definitions: dg.Definitions) -> set[str]:
        schema = definitions.resolve_asset_graph().get(_MART).metadata["dagster/column_schema"]
        return {column.name for column in schema.columns}

    assert columns(after) - columns(before) == {"tier"}
    (dimensions / "tier.yml").unlink()


_TYPO = "contexts/dimensions/tier.yml:2:1 unknown-key"


def _mistype(company: Company) -> Path:
    path = company.settings.contexts / "dimensions" / "tier.yml"
    path.write_text("dimension: tier\ncolour: red\nrules:\n  - element: x\n    when: {tag: app, equals: x}\n")
    with pytest.raises(ContextProblems, match=_TYPO):
        build_definitions(company.settings)
    return path


def _load(company: Company) -> dg.Definitions:
    """As Dagster does, with `cpc dev` on the company."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CPC_WORKSPACE", str(company.root / "workspace"))
        environment.setenv("CPC_CONTEXTS", str(company.root / "contexts"))
        return load_definitions()


def _run_of(
    definitions: dg.Definitions, selection: dg.AssetSelection, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    job = dg.Definitions(jobs=[dg.define_asset_job("some", selection=selection)])
    merged = dg.Definitions.merge(definitions, job)
    return merged.resolve_job_def("some").execute_in_process(instance=instance, raise_on_error=False)


def _failure(ended: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event for event in ended.all_events if event.is_step_failure]
    return str(failure.step_failure_data.user_failure_data.description)


def _refused(definitions: dg.Definitions, asset: dg.AssetKey, instance: dg.DagsterInstance) -> str:
    """What a run of everything behind the landing and of the check on the contexts says before it ends."""
    selection = dg.AssetSelection.assets(asset).required_multi_asset_neighbors()
    ended = _run_of(definitions, selection | dg.AssetSelection.checks(CONTEXTS_COMPILE), instance)
    (evaluation,) = ended.get_asset_check_evaluations()
    assert not evaluation.passed
    assert _TYPO in str(evaluation.description)
    return _failure(ended)


def test_a_typo_leaves_the_location_with_what_compiled_last(
    loaded: tuple[Company, dg.Definitions], instance: dg.DagsterInstance
) -> None:
    company, before = loaded
    typo = _mistype(company)
    try:
        after = _load(company)
        graph = after.resolve_asset_graph()
        assert graph.get_all_asset_keys() == before.resolve_asset_graph().get_all_asset_keys()
        assert _TYPO in str(graph.get(_SNAPSHOT).description)
        assert "One row per" in str(graph.get(_MART).description)
        assert _TYPO not in str(graph.get(dg.AssetKey(["landing", "customers"])).description)
        assert _TYPO in _refused(after, _MART, instance)
        assert {schedule.name for schedule in after.schedules or ()} == {"daily_costs_at_six"}

        def look(definitions: dg.Definitions) -> Any:
            resources = {"s3": (definitions.resources or {})["s3"]}
            sensor = definitions.resolve_sensor_def("arrivals")
            context = dg.build_sensor_context(instance, resources=resources, definitions=definitions)
            return sensor.evaluate_tick(context)

        assert _TYPO in str(look(after).skip_message)
        assert not look(after).asset_events  # the run above has recorded the failed check
    finally:
        typo.unlink()
    corrected = look(_load(company))
    assert corrected.run_requests
    assert [event.passed for event in corrected.asset_events] == [True]


def test_a_typo_in_the_settings_leaves_the_location(
    loaded: tuple[Company, dg.Definitions], instance: dg.DagsterInstance
) -> None:
    """With the settings that were valid last, and no run starting, that of the landing neither."""
    company, _ = loaded
    file = company.settings.workspace / "settings.yml"
    file.write_text("owners: [team:platform]\n")
    before = _load(company)
    file.write_text("owners: [team:platform]\ns3: {region: eu}\n")
    typo = f'{file}:2: s3.region: there is no such setting; did you mean "region_name"?'
    try:
        after = _load(company)
        graph = after.resolve_asset_graph()
        customers = dg.AssetKey(["landing", "customers"])
        assert graph.get_all_asset_keys() == before.resolve_asset_graph().get_all_asset_keys()
        assert list(graph.get(_MART).owners) == ["team:platform"]
        for asset in (customers, _MART, dg.AssetKey(["reports", "customer_cost_report"])):
            assert typo in str(graph.get(asset).description)
            selection = dg.AssetSelection.assets(asset).required_multi_asset_neighbors()
            assert _failure(_run_of(after, selection, instance)) == typo
        assert [schedule.name for schedule in after.schedules or ()] == ["daily_costs_at_six"]
        sensor = after.resolve_sensor_def("arrivals")
        resources = {"s3": (after.resources or {})["s3"]}
        tick = sensor.evaluate_tick(dg.build_sensor_context(instance, resources=resources, definitions=after))
        assert typo in str(tick.skip_message)
        assert [(event.check_name, event.passed) for event in tick.asset_events if not event.passed] == [
            ("settings_are_valid", False)
        ]
    finally:
        file.unlink()


def test_a_typo_before_anything_compiled_leaves_the_landing(tmp_path: Path) -> None:
    company = new_company(tmp_path / "company")
    _mistype(company)
    definitions = _load(company)
    graph = definitions.resolve_asset_graph()
    assert dg.AssetKey(["landing", "billing_days"]) in graph.executable_asset_keys
    assert _TYPO in str(graph.get(_SNAPSHOT).description)
    assert _TYPO in _refused(definitions, _SNAPSHOT, dg.DagsterInstance.ephemeral())


def test_dagster_loads_the_workspace_file(built: Company) -> None:
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate"]
    settings = built.settings
    environment = {
        **os.environ,
        "CPC_WORKSPACE": str(settings.workspace),
        "CPC_CONTEXTS": str(settings.contexts),
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    arguments = ["--workspace", str(PROJECT_ROOT / "workspace.yaml")]
    done = subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location cost_per_customer" in done.stderr + done.stdout
