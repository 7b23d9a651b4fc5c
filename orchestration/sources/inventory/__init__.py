"""Resources in the cloud accounts: tags, attributes and relationships."""

from __future__ import annotations

from orchestration.sources.source import Check, Source, Table

INVENTORY = Source(
    name="inventory",
    label="resources",
    module="orchestration.sources.inventory.landing",
    tables=(
        Table("resource_versions", "One row per resource of the cloud accounts and change of it."),
        Table("inventory_snapshots", "One row per snapshot and scope (account, region, service; or folder)."),
        Table("inventory_rejected", "One row per row of a file that was rejected."),
    ),
    check=Check(
        "every_scope_was_answered",
        table="inventory_snapshots",
        description="Every account, region and service answered; every file was whole and in order.",
    ),
)
