"""Accounts of the organization: names, positions and tags."""

from __future__ import annotations

from orchestration.sources.source import Check, Source, Table

ACCOUNTS = Source(
    name="accounts",
    label="accounts",
    module="orchestration.sources.accounts.landing",
    tables=(
        Table("account_versions", "One row per account of the organization and change of it."),
        Table("account_snapshots", "One row per snapshot and scope (the organization, or a folder)."),
        Table("accounts_rejected", "One row per row of a file that was rejected."),
    ),
    check=Check(
        "the_organization_answered",
        table="account_snapshots",
        description="The organization answered; every file was whole and in order.",
    ),
)
