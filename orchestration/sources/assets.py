"""What the landings write beside their own files, as Dagster shows it."""

from __future__ import annotations

import dagster as dg

NOTES = dg.AssetSpec(
    ["landing", "notes"],
    group_name="landing",
    description="What the landings of the bill, the customers and their revenue noted about their files. "
    "One row per note.",
    deps=[
        ["landing", "aws_cur_charges"],
        ["landing", "focus_charges"],
        ["landing", "customers"],
        ["landing", "revenue"],
    ],
)
"""The notes of all landings; the mart `warnings` shows them (`orchestration/sources/notes.py`)."""
