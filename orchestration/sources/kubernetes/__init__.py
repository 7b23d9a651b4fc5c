"""Usage of Kubernetes nodes, as measured by OpenCost."""

from __future__ import annotations

from orchestration.sources.source import Check, Source, Table

OPENCOST = Source(
    name="opencost",
    label="use of Kubernetes nodes",
    module="orchestration.sources.kubernetes.landing",
    tables=(
        Table("opencost_allocations", "One row per allocation of a node that OpenCost exported."),
        Table("opencost_rejected", "One row per row of an export that was rejected."),
    ),
    check=Check(
        "every_row_is_of_a_node",
        table="opencost_rejected",
        description="No row of the exports was rejected.",
    ),
)
