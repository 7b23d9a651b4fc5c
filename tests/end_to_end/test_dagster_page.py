"""Dagster's own web page and daemon: whatever a person materializes there ends with what readers see."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.run_history import record_unchanged_run
from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home
from tests.end_to_end.conftest import new_company
from tests.end_to_end.dagster_page import REPOSITORY, web_page
from tests.end_to_end.running import Company
from tests.end_to_end.small_company import MONTHS, expected_costs, write_bill

_MART = ["marts", "average_customer_cost"]
_ASSETS = "{assetNodes{assetKey{path} isExecutable groupName}}"
_ALSO_NEEDED = "query($of:[AssetKeyInput!]!){assetNodeAdditionalRequiredKeys(assetKeys:$of){path}}"
_TIMELINE = """
query($of: RunsFilter!) {
  runsOrError(filter: $of) {
    ... on Runs { results { pipelineName repositoryOrigin { repositoryName repositoryLocationName } } }
  }
}
"""
_PARTITIONS = """
query($of: AssetKeyInput!) {
  assetNodeOrError(assetKey: $of) {
    ... on AssetNode {
      partitionKeys
      assetPartitionStatuses {
        ... on TimePartitionStatuses { ranges { status startKey endKey } }
      }
    }
  }
}
"""


@pytest.mark.timeout(1200)
def test_whatever_is_selected_in_the_page_ends_with_what_readers_see(tmp_path: Path) -> None:
    """The calls are those that the page makes for "Materialize all" and "Materialize selected"."""
    company = new_company(tmp_path / "company")
    with web_page(company.settings) as page:
        nodes = page.ask(_ASSETS)["assetNodes"]
        everything = [node["assetKey"] for node in nodes if node["isExecutable"]]

        # All assets over all partitions. Dagster's daemon makes of it what runs it likes: one for the landing
        # of bills, one for what else lands, one for everything behind.
        page.backfill(everything, allPartitions=True)
        assert _costs(company) == expected_costs()
        assert (company.settings.published_folder / "report.html").is_file()
        bills = page.ask(_PARTITIONS, of={"path": ["landing", "billing_days"]})["assetNodeOrError"]
        assert bills["partitionKeys"][0] == MONTHS[0]
        [landed] = bills["assetPartitionStatuses"]["ranges"]
        assert landed["status"] == "MATERIALIZED"

        # A backfill of some months of a group, then a single mart: the page says first what comes with it.
        billing = company.settings.sources / "billing"
        for month in MONTHS[1:]:
            write_bill(billing, month, Decimal("20000.00"))
        landing = [node["assetKey"] for node in nodes if node["groupName"] == "landing"]
        page.backfill([key for key in landing if key in everything], partitionNames=list(MONTHS[1:]))
        needed = page.ask(_ALSO_NEEDED, of=[{"path": _MART}])["assetNodeAdditionalRequiredKeys"]
        assert {"path": ["published", "snapshot"]} in needed
        assert {"path": ["staging", "charges"]} in needed
        page.run([{"path": _MART}, *needed, {"path": ["reports", "customer_cost_report"]}], {})
        for month in MONTHS[1:]:
            assert _costs(company)[month, "ada"] == expected_costs()[month, "ada"] + 300

        # Everything for one month is one run; it finds nothing new, so readers keep what they have.
        published = company.snapshot()
        page.run(everything, {"dagster/partition": MONTHS[1]})
        assert company.snapshot() == published

        # The timeline shows runs of the command too: all whose origin is a job that the page knows.
        record_unchanged_run(
            dagster_home(company.settings), COMMAND_CONFIG, "an earlier run", "its snapshot", 200
        )
        by_command = {"key": "cpc/started_by", "value": "cpc run"}
        [shown] = page.ask(_TIMELINE, of={"tags": [by_command]})["runsOrError"]["results"]
        assert shown == {"pipelineName": DAILY_COSTS, "repositoryOrigin": REPOSITORY}


def _costs(company: Company) -> dict[tuple[str, str], Decimal]:
    costs = company.read(
        "select strftime(usage_date, '%Y-%m'), customer_id, sum(effective_cost) from customer_costs_daily "
        "group by all"
    )
    return {(month, customer): cost for month, customer, cost in costs}
