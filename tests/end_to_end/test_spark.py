"""Days computed on Spark are those of one machine, whatever happens to its tasks."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import boto3
import duckdb
import obstore
import pytest

from orchestration.settings import S3Settings, Settings, SparkSettings
from orchestration.warehouse.lock import WriterBusyError
from orchestration.warehouse.project import prepare_project
from orchestration.warehouse.snapshots import current_snapshot
from orchestration.warehouse.spark import days, session, shared
from orchestration.warehouse.spark.build import plan_days
from orchestration.warehouse.spark.plan import Plan, read_plan
from orchestration.warehouse.spark.session import SparkError
from orchestration.warehouse.spark.shared import DriverReplacedError, hold_shared, storage_of
from orchestration.warehouse.spark.task import DayFile
from tests.conftest import FinishedDemo
from tests.end_to_end import spark_faults
from tests.end_to_end.conftest import RESTATED_DAYS, restate
from tests.end_to_end.running import Company, Rows
from tests.end_to_end.spark_cluster import CONNECT_PORT, check_same_on_spark, free_port, needs_java
from tests.examples import LONG

pytestmark = needs_java


@pytest.fixture(scope="module")
def planned(
    spark: SparkSettings, built: Company, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, Plan]]:
    """The days of the built company, planned again elsewhere: four slices."""
    settings = Settings(
        workspace=tmp_path_factory.mktemp("planned"),
        contexts=built.settings.contexts,
        landing=built.settings.landing_folder,
        spark=spark,
        batch_rows=20,
    )
    project = prepare_project(settings)
    result = plan_days(project, settings.workspace / "dbt")
    assert result.is_success, result.error
    with read_plan(settings, project.assembled.folder, result.nodes) as plan:
        yield settings, plan


def read(database: Path, query: str) -> Rows:
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        return connection.execute(query).fetchall()


def check_days(built: Company, plan: Plan, made: list[DayFile]) -> None:
    """Every day of every model is there once, with the rows of the built company."""
    assert len(plan.work.slices) == 4
    days_of = {
        model.name: [day for name, day, _, _ in made if name == model.name] for model in plan.work.models
    }
    for model in plan.work.models:
        assert sorted(days_of[model.name]) == [day for days in plan.work.slices for day in days], model.name
        files = [file for name, _, file, _ in made if name == model.name and file]
        with closing(duckdb.connect()) as connection:
            rows = connection.execute(f"{model.rows(files)} order by all")
            columns = ", ".join(f'"{column[0]}"' for column in rows.description)
            expected = f"select {columns} from {model.name} order by all"
            assert rows.fetchall() == read(built.settings.warehouse_file, expected), model.name
    assert sum(count for _, _, _, count in made) > 100


def attempts(settings: Settings, plan: Plan, model: str) -> Counter[str]:
    """How many attempts have written a file of the model, by slice."""
    files = (settings.days_folder / model).glob(f"*/{plan.work.run}-*")
    return Counter(number for number, _ in {tuple(path.name.split("-")[1:3]) for path in files})


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Settings]:
    """A server of S3 with the bucket `shared`; executors have its credentials, too."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        settings = S3Settings(endpoint_url=endpoint, region_name="us-east-1")
        client = boto3.client("s3", **settings.model_dump())
        client.create_bucket(Bucket="shared")
        yield settings
    server.stop()


def test_workers_and_drivers_share_nothing_but_s3(
    spark: SparkSettings, s3: S3Settings, company: Company, built_restated: Company, tmp_path: Path
) -> None:
    """By Spark Connect: a process of its own, without a Java runtime."""
    connect = f"sc://127.0.0.1:{spark.conf[CONNECT_PORT]}"
    options = SparkSettings(remote=connect, storage="s3://shared/costs")
    on_s3 = Settings(workspace=company.settings.workspace, spark=options, s3=s3)
    before = current_snapshot(on_s3.published_folder)
    assert before
    one_machine = company.marts()
    with hold_shared(on_s3, print) as storage:
        storage.commit(before)

    # The next driver is a new machine: it has the sources, and what lies in S3.
    workspace = company.settings.workspace
    for place in workspace.iterdir():
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.name != "sources":
            shutil.rmtree(place)
    restate(company)
    text = f"engine: spark\nbatch_rows: 20\ns3: {s3.model_dump_json()}\nspark: {options.model_dump_json()}\n"
    (workspace / "settings.yml").write_text(text)
    with (tmp_path / "printed").open("w+") as printed:
        assert company.start(printed.fileno(), JAVA_HOME="/nowhere").wait() == 0, (
            printed.seek(0) or printed.read()
        )
    assert company.marts() == built_restated.marts()
    changed = read(on_s3.warehouse_file, "select usage_date::varchar from staging.changed_days order by 1")
    assert [day for (day,) in changed] == RESTATED_DAYS

    # A snapshot in S3 is a list of files, with the rows of its marts.
    shared_storage = storage_of(on_s3)
    assert shared_storage
    current = json.loads(bytes(obstore.get(shared_storage.store, "current.json").bytes()))
    assert [each["id"] for each in current["snapshots"]] == [company.snapshot().name, before.folder.name]
    with closing(duckdb.connect()) as connection:
        shared_storage.let_read(connection)
        for snapshot, marts in zip(current["snapshots"], (company.marts(), one_machine), strict=True):
            for mart in ("customer_costs_daily", "customer_costs_monthly", "customers"):
                files = [f"{shared_storage.url}/{key}" for key in snapshot["marts"][mart]]
                rows = connection.execute("select count(*) from read_parquet($1)", [files]).fetchall()
                assert rows == [(len(marts[mart]),)], mart


def test_one_driver_writes_to_shared_storage(
    s3: S3Settings, built: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        workspace=built.settings.workspace,
        spark=SparkSettings(storage="s3://shared/drivers"),
        s3=s3,
        writer_wait_seconds=0,
    )
    snapshot = current_snapshot(settings.published_folder)
    assert snapshot
    said: list[str] = []
    with hold_shared(settings, said.append) as first:
        with (
            pytest.raises(WriterBusyError, match="s3://shared/drivers is being written to by another driver"),
            hold_shared(settings, said.append),
        ):
            pass
        first.commit(snapshot)
        # The first one is not heard of for too long: another takes its place, and the first cannot publish.
        monkeypatch.setattr(shared, "SECONDS_UNTIL_DEAD", 0.2)
        patient = settings.model_copy(update={"writer_wait_seconds": 60})
        with hold_shared(patient, said.append) as second:
            second.commit(snapshot)
        with pytest.raises(DriverReplacedError, match="this one published nothing"):
            first.commit(snapshot)
    assert any("Waiting for the driver" in line for line in said)


@pytest.mark.skipif(LONG == 1, reason="of `make test-long`: real and random bills are compared on Spark, too")
def test_the_demo_is_the_same(spark: SparkSettings, finished_demo: FinishedDemo, tmp_path: Path) -> None:
    check_same_on_spark(spark, finished_demo.settings, tmp_path / "demo", batch_rows=400_000)


@pytest.mark.parametrize(
    "fault",
    [
        spark_faults.killed_in_the_middle,
        spark_faults.failed_after_writing,
        spark_faults.stuck_after_writing,
    ],
)
def test_an_attempt_that_does_not_count_changes_nothing(
    fault: Callable[..., object],
    planned: tuple[Settings, Plan],
    built: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, plan = planned
    monkeypatch.setattr(days, "run_tasks", fault)
    before = attempts(settings, plan, "landed_costs")
    said: list[str] = []
    made = days.compute_days(settings.spark, plan, said.append)
    check_days(built, plan, made)
    # Two attempts of the slice have written, one of the others.
    after = attempts(settings, plan, "landed_costs") - before
    assert after.pop(str(spark_faults.UNLUCKY)) == 2
    assert set(after.values()) == {1}
    assert len(said) == len(plan.waves) * len(plan.work.slices)
    assert f"2026-03-01 to 2026-03-03 computed on Spark, wave 1 of {len(plan.waves)}: " in "\n".join(said)


def test_what_a_model_reads_on_other_days_is_computed_by_an_earlier_wave(
    planned: tuple[Settings, Plan],
) -> None:
    _, plan = planned
    wave_of = {model.name: number for number, models in enumerate(plan.waves) for model in models}
    # Trailing usage; pods of a charge that began on the day before; days that a charge is spread over.
    assert wave_of["usage.usage_by_day"] < wave_of["allocation.share_sets"]
    assert wave_of["staging.stg_aws_cur__pods"] < wave_of["staging.staged_costs"]
    assert wave_of["staging.staged_costs"] < wave_of["marts.reconciliation"]
    assert wave_of["allocation.charge_groups"] == wave_of["allocation.cost_pools"]


def test_an_address_without_a_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SECONDS_TO_ANSWER", 0.1)
    address = f"sc://127.0.0.1:{free_port()}"
    with pytest.raises(SparkError, match=address), session.open_spark(SparkSettings(remote=address)):
        pass


def test_a_spark_that_does_not_start_is_an_error_without_a_traceback(company: Company) -> None:
    """In a process of its own: here a session is open."""
    wrong = "engine: spark\nspark: {master: 'local[1]', conf: {spark.shuffle.manager: nonsense}}\n"
    (company.settings.workspace / "settings.yml").write_text(wrong)
    restate(company)
    with (company.root / "printed").open("w+") as printed:
        assert company.start(printed.fileno()).wait() == 1
        printed.seek(0)
        shown = printed.read()
    assert "Spark does not start on local[1]: java.lang.ClassNotFoundException: nonsense." in shown
    assert "Traceback" not in shown


def test_a_day_that_cannot_be_computed_is_named(planned: tuple[Settings, Plan]) -> None:
    settings, plan = planned
    broken = dataclasses.replace(plan.waves[0][0], write_files="select error('too large')")
    work = dataclasses.replace(plan.work, slices=plan.work.slices[:1])
    with pytest.raises(SparkError, match=rf"{broken.name}, 2026-03-01 to 2026-03-03: .*too large"):
        days.compute_days(settings.spark, dataclasses.replace(plan, work=work, waves=[[broken]]), print)
