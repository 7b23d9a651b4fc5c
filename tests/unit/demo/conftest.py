"""The sample company's files, made once for all tests of this folder."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.demo.delivery import deliver

SEED = 7


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample") / "sources"
    assert deliver(root, SEED)
    return root


# What the accounting rules are about; reading every column as Python values would take minutes.
COLUMNS = [
    "identity_line_item_id",
    "identity_time_interval",
    "line_item_line_item_type",
    "line_item_operation",
    "line_item_product_code",
    "line_item_resource_id",
    "line_item_unblended_cost",
    "line_item_usage_account_id",
    "line_item_usage_amount",
    "line_item_usage_start_date",
    "line_item_usage_type",
    "reservation_amortized_upfront_fee_for_billing_period",
    "reservation_effective_cost",
    "reservation_reservation_a_r_n",
    "reservation_unused_amortized_upfront_fee_for_billing_period",
    "reservation_unused_quantity",
    "reservation_unused_recurring_fee",
    "resource_tags",
    "savings_plan_amortized_upfront_commitment_for_billing_period",
    "savings_plan_savings_plan_a_r_n",
    "savings_plan_savings_plan_effective_cost",
    "savings_plan_total_commitment_to_date",
    "savings_plan_used_commitment",
    "split_line_item_actual_usage",
    "split_line_item_parent_resource_id",
    "split_line_item_reserved_usage",
    "split_line_item_split_cost",
    "split_line_item_split_usage",
    "split_line_item_unused_cost",
]


def _lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of one delivery, with money as the decimal that its shortest text says."""
    return [
        {k: Decimal(repr(v)) if isinstance(v, float) else v for k, v in line.items() if v is not None}
        for path in sorted(folder.glob("*.parquet"))
        for line in pq.read_table(path, columns=COLUMNS).to_pylist(maps_as_pydicts="strict")
    ]


@pytest.fixture(scope="session")
def delivery_folders(delivered: Path) -> list[Path]:
    """September as first delivered, September restated, October."""
    folders = sorted((delivered / "billing/nw-cur2/data").glob("BILLING_PERIOD=*/*"))
    assert len(folders) == 3
    return folders


@pytest.fixture(scope="session")
def months(delivery_folders: list[Path]) -> list[list[dict[str, Any]]]:
    """The bill as it is now: September restated, October."""
    return [_lines(folder) for folder in delivery_folders[1:]]
