"""Signals beyond the bill through the whole job: nodes divided by OpenCost, tags of resources over time."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.end_to_end import node_company, small_company
from tests.end_to_end.node_company import BARE, DAILY, HOURLY, SPLIT, Line, Share, divided, parts_of
from tests.end_to_end.running import Company
from tests.examples import examples

ARN = "arn:aws:ec2:eu-central-1:011254002932:volume/vol-2"
# A volume that is made, attached again, gone, and there again; and one that comes later.
OTHER_SNAPSHOTS = "".join(
    json.dumps({"snapshot_time": f"2026-04-{day}T06:00:00Z", "resource_type": "ec2:volume", **values}) + "\n"
    for day, values in (
        (20, {"resource_id": "vol-2", "resource_arn": ARN, "created_at": "2026-04-03T15:00:00Z",
              "relationships": [{"relationship": "attached_to", "related_resource_id": "i-2",
                                 "since": "2026-04-10T12:00:00Z"}]}),
        (21, {"resource_id": "vol-2", "resource_arn": ARN, "created_at": "2026-04-03T15:00:00Z"}),
        (22, {"resource_id": "vol-3"}),
        (23, {"resource_id": "vol-3"}),
        (24, {"resource_id": "vol-2", "resource_arn": ARN, "created_at": "2026-04-03T15:00:00Z"}),
    )
)  # fmt: skip
DIVIDED_TABLES = """
    create table one_charge as select
        '' as charge_id, 'i-1' as resource_id, timestamp '2026-05-01' as charge_period_start,
        timestamp '2026-05-01 01:00:00' as charge_period_end, date '2026-05-01' as usage_date,
        'Usage' as charge_category, 'BoxUsage:m6i.large' as x_usage_type, null::varchar as x_split_parent_id,
        'billing' as x_source_name, 'one' as delivery, 'one.parquet' as x_landed_file, 0 as x_landed_row,
        0::decimal(38, 12) as billed_cost, 0::decimal(38, 12) as effective_cost,
        0::decimal(38, 12) as contracted_cost, 0::decimal(38, 12) as list_cost,
        0::decimal(38, 12) as x_net_effective_cost, 1::decimal(38, 12) as consumed_quantity;
    create table stg_aws_cur__charges as from one_charge where false;
    create table stg_focus__charges as from one_charge where false;
    create table one_share as select
        'i-1' as instance_id, timestamp '2026-05-01' as window_start,
        timestamp '2026-05-02' as window_end, 'prod' as cluster, 'ns' as namespace,
        'deployment' as controller_kind, 'web' as controller, '' as pod,
        map([], [])::map(varchar, varchar) as labels, false as is_idle, 0::hugeint as weight;
    create table stg_opencost__node_shares as from one_share where false;
"""
Nodes = tuple[Company, list[Line], list[Share]]


def snapshot(time: str, team: str, attached_to: str = BARE) -> str:
    common = {"snapshot_time": time, "account_id": small_company.ACCOUNT}
    volume = {
        **common,
        "resource_id": "vol-1",
        "resource_type": "ec2:volume",
        "tags": {"team": team} if team else {},
    }
    volume["relationships"] = [{"relationship": "attached_to", "related_resource_id": attached_to}]
    node = {**common, "resource_id": BARE, "resource_type": "ec2:instance", "tags": {"Team": "platform"}}
    return "".join(json.dumps(resource) + "\n" for resource in (volume, node))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Nodes:
    """The company after its first run. Not to be changed: copy it."""
    company = Company(tmp_path_factory.mktemp("nodes") / "company")
    random = Random(20260501)
    lines, shares = node_company.bill(random), node_company.shares(random)
    for name, text in node_company.CONTEXTS.items():
        path = company.settings.contexts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources = company.settings.sources
    node_company.write_bill(sources / "billing", lines)
    node_company.write_opencost(sources / "opencost", shares)
    (sources / "inventory").mkdir(parents=True)
    (sources / "inventory" / "1.jsonl").write_text(snapshot("2026-04-20T06:00:00Z", ""))
    (sources / "inventory" / "other").mkdir()
    (sources / "inventory" / "other" / "all.jsonl").write_text(OTHER_SNAPSHOTS)
    (sources / "accounts").mkdir(parents=True)
    (sources / "accounts" / "a.csv").write_text(
        f'account_id,account_name,tags\n{small_company.ACCOUNT},nw,"{{""team"": ""cloud""}}"\n'
    )
    good, printed = company.run()
    assert good, printed
    return company, lines, shares


def ask(company: Company, query: str) -> list[tuple[Any, ...]]:
    with closing(duckdb.connect(str(company.settings.warehouse_file), read_only=True)) as warehouse:
        return warehouse.execute(query).fetchall()


def test_every_part_of_a_node_is_what_decimals_say(nodes: Nodes) -> None:
    company, lines, shares = nodes
    found: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
    rows = ask(
        company,
        """
        select resource_id, x_landed_row, x_kubernetes_namespace, resource_name, x_split_part,
            billed_cost, list_cost, consumed_quantity
        from staging.charges
        """,
    )
    for resource, number, *values in rows:
        found[(resource, number)].append(tuple(values))
    parts_seen = 0
    with localcontext() as context:
        context.prec = 60
        for number, line in enumerate(lines, start=1):
            if line.resource == SPLIT or "splitLineItem/SplitCost" in line.values:
                continue
            of_line = found[(line.resource, number)]
            expected = divided(line, shares)
            if not expected:
                [(namespace, _, part, billed, listed, _)] = of_line
                assert (namespace, part) == (None, None)
                assert (billed, listed) == tuple(line.cost(column) for column in node_company.COSTS)
                continue
            parts_seen += len(expected)
            assert {
                pod if pod != "__idle__" else "": (billed, listed) for _, pod, _, billed, listed, _ in of_line
            } == {
                pod: tuple(costs[column] for column in node_company.COSTS) for pod, costs in expected.items()
            }
            assert {part for _, pod, part, *_ in of_line if pod == "__idle__"} <= {"unused"}
            assert {part for _, pod, part, *_ in of_line if pod != "__idle__"} <= {"used"}
            assert sum(quantity for *_, quantity in of_line) == Decimal(1)
    assert parts_seen > 240


WHOLE = st.integers(-(10**20), 10**20)
WEIGHTS = st.dictionaries(
    st.sampled_from(["", "a", "b", "c", "d", "e", "f"]), st.integers(1, 10**14), min_size=1
)


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(charges=st.lists(st.tuples(WHOLE, WHOLE), min_size=1, max_size=3), weights=WEIGHTS)
def test_any_cost_is_divided_to_the_last_digit(
    nodes: Nodes, charges: list[tuple[int, int]], weights: dict[str, int]
) -> None:
    """The model's SQL, as dbt compiled it, on tables of charges and weights of any size."""
    [model] = nodes[0].settings.workspace.glob("dbt_runs/*/compiled/**/stg_opencost__charge_parts.sql")
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as warehouse; create schema warehouse.staging; use warehouse.staging"
        )
        connection.execute(DIVIDED_TABLES)
        connection.execute("set variable batch_days = [date '2026-05-01']")
        for number, (billed, listed) in enumerate(charges):
            connection.execute(
                "insert into stg_aws_cur__charges by name select * replace ($1 as charge_id, "
                "$4 as x_landed_row, $2::hugeint::decimal(38, 0) * 0.000000000001 as billed_cost, "
                "$3::hugeint::decimal(38, 0) * 0.000000000001 as list_cost) from one_charge",
                [f"charge {number}", billed, listed, number],
            )
        for pod, weight in weights.items():
            connection.execute(
                "insert into stg_opencost__node_shares by name select * replace ($1 as pod, $2 as is_idle, "
                "$3::hugeint as weight) from one_share",
                [pod or "__idle__", not pod, weight],
            )
        sql = model.read_text()
        rows = connection.execute(
            f"select whole_charge_id, part_pod, part_billed_cost, part_list_cost, part_charge_id from ({sql})"
        ).fetchall()
    assert len({row[-1] for row in rows}) == len(rows)
    found: dict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for charge, pod, *costs, _ in rows:
        found[charge][pod if pod != "__idle__" else ""] = tuple(int(cost.scaleb(12)) for cost in costs)
    for number, costs in enumerate(charges):
        parts = found[f"charge {number}"]
        for place, cost in enumerate(costs):
            assert {pod: units[place] for pod, units in parts.items()} == parts_of(cost, weights)
            assert sum(units[place] for units in parts.values()) == cost


def test_a_node_that_the_bill_splits_is_not_divided_again(nodes: Nodes) -> None:
    company, _, _ = nodes
    found = ask(
        company,
        f"""
        select count(*), count(distinct charge_id), count(*) filter (charge_id like '%/pod-%')
        from staging.charges where resource_id = '{SPLIT}' or x_split_parent_id = '{SPLIT}'
        """,
    )
    assert found[0][0] == found[0][1] > 0
    assert found[0][2] == 0


def test_what_is_idle_pods_tags_and_relations_are_elements(nodes: Nodes) -> None:
    company, _, _ = nodes
    found = dict(
        ask(
            company,
            """
            select coalesce(feature, 'none') || ' ' || resource_id, count(*)
            from context.charges_in_context group by all
            """,
        )
    )
    assert {name.rpartition(" ")[0] for name in found if name.endswith(DAILY)} <= {
        "Idle nodes",
        "labelled-web",
        "labelled-jobs",
    }
    assert {name.rpartition(" ")[0] for name in found if name.endswith(HOURLY)} == {
        "Idle nodes",
        "web",
        "jobs",
        "cloud",  # what the node transfers: by the tag of its account
    }
    assert found[f"platform {BARE}"] == 36
    # The volume has no team of its own, but the instance that it is attached to has.
    assert found["platform vol-1"] == 3


def test_versions_are_valid_from_creation_or_the_last_snapshot_without(nodes: Nodes) -> None:
    company, _, _ = nodes
    validity = "select resource_id, valid_from::varchar, valid_to::varchar from"
    of_volume = [
        ("2026-04-03 00:00:00", "2026-04-21 06:00:00"),
        ("2026-04-21 06:00:00", "2026-04-22 06:00:00"),
        # Made again under the same id: not before the other was gone.
        ("2026-04-22 06:00:00", None),
    ]
    assert ask(
        company,
        f"{validity} signals.resources where resource_id like '%vol-2' or resource_id = 'vol-3' order by all",
    ) == [
        *((ARN, *times) for times in of_volume),
        *(("vol-2", *times) for times in of_volume),
        ("vol-3", "2026-04-21 00:00:00", "2026-04-24 06:00:00"),
    ]
    assert ask(
        company,
        f"{validity} signals.resource_relationships where related_resource_id = 'i-2' order by all",
    ) == [(name, "2026-04-10 00:00:00", "2026-04-21 06:00:00") for name in (ARN, "vol-2")]


@pytest.fixture
def changed_nodes(nodes: Nodes, tmp_path: Path) -> Iterator[Company]:
    """The company, to change, then put back. In its own place: elsewhere the files of its days are lost."""
    company = nodes[0]
    kept = company.copy(tmp_path / "kept")
    yield company
    shutil.rmtree(company.root)
    kept.copy(company.root)


def test_a_new_tag_reaches_the_days_that_it_is_valid_on_with_the_next_run(changed_nodes: Company) -> None:
    company = changed_nodes
    inventory = company.settings.sources / "inventory"
    (inventory / "2.jsonl").write_text(snapshot("2026-05-02T10:00:00Z", "storage"))
    good, printed = company.run()
    assert good, printed

    assert ask(company, "select usage_date::varchar, reason from staging.changed_days order by all") == [
        ("2026-05-02", "signals"),
        ("2026-05-03", "signals"),
    ]
    assert ask(
        company,
        "select usage_date::varchar, feature from context.charges_in_context "
        "where resource_id = 'vol-1' order by 1",
    ) == [("2026-05-01", "platform"), ("2026-05-02", "storage"), ("2026-05-03", "storage")]
    versions = "select tags, valid_from::varchar, valid_to::varchar from signals.resources"
    assert ask(company, f"{versions} where resource_id = 'vol-1' order by valid_from") == [
        ({}, "1970-01-01 00:00:00", "2026-05-02 10:00:00"),
        ({"team": "storage"}, "2026-05-02 10:00:00", None),
    ]
    # The relationship stayed: one row, over both versions.
    assert ask(
        company,
        "select relationship, valid_from::varchar, valid_to from signals.resource_relationships "
        "where resource_id = 'vol-1'",
    ) == [("attached_to", "1970-01-01 00:00:00", None)]
