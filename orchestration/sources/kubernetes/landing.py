"""Land OpenCost allocation exports, one Parquet file per export file.

A file is the answer of OpenCost's API (`.json`), one allocation per line (`.jsonl`), or a table (CSV,
Parquet) with the API's column names. docs/signals.md describes the format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.sources.files.rows import (
    ENDINGS,
    READ_ERROR,
    Kind,
    find_files,
    judge,
    not_texts,
    read_rows,
    reading_rows,
    texts_of,
    time_of,
)
from orchestration.sources.kubernetes import landed
from orchestration.sources.landing.parquet import TAGS, row_count, write_landed
from orchestration.sources.landing.processed_files import write_rejected
from orchestration.sources.locations import Location
from orchestration.sources.source import Landed, LandingRequest, rejected_rows

_COSTS = ("cpuCost", "gpuCost", "ramCost")
_PROPERTIES = {
    "cluster": "cluster",
    "node": "node",
    "providerID": "provider_id",
    "namespace": "namespace",
    "controllerKind": "controller_kind",
    "controller": "controller",
    "pod": "pod",
}
COLUMNS: dict[str, Kind] = {
    "name": "text",
    "window": "json",
    "start": "text",
    "end": "text",
    "properties": "json",
    "labels": "json",
    **dict.fromkeys(_PROPERTIES, "text"),
    **{f"{cost}{part}": "text" for cost in _COSTS for part in ("", "Adjustment")},
}

# The API's answer is a list of windows, each an object of allocations by name.
_DOCUMENTS = """
    flatten(list_transform(
        from_json(content::JSON -> '$.data', '["JSON"]'),
        lambda one_window: map_values(from_json(one_window, '"MAP(VARCHAR, JSON)"'))
    ))
"""
_NOTHING = "the file holds no allocation; an answer of the API has them under `data`"
_RULES = (
    READ_ERROR,
    (
        "not-an-object",
        "has_other_objects",
        "'properties and window are JSON objects in OpenCost''s exports, and here one is not'",
    ),
    (
        "window-format",
        "window_start IS NULL OR window_end IS NULL OR window_end <= window_start",
        "'window ' || coalesce(given_start, '?') || ' to ' || coalesce(given_end, '?') || ' is invalid; ISO "
        "8601 times are needed'",
    ),
    (
        "no-node",
        "node IS NULL AND provider_id IS NULL",
        "'the row says no node; ask OpenCost without aggregating nodes away, and for idle cost by node "
        "(includeIdle=true, idleByNode=true)'",
    ),
    (
        "cost-not-a-number",
        "cpu_cost IS NULL OR gpu_cost IS NULL OR ram_cost IS NULL",
        "'a cost is not a number'",
    ),
    not_texts("labels", "label_map"),
)


def _object(column: str) -> str:
    valid = f'CASE WHEN json_valid("{column}") THEN "{column}" END'
    return f"CASE WHEN json_type({valid}) = 'OBJECT' THEN {valid} END"


_OWN = ", ".join(
    f"coalesce(\"{name}\", nullif(properties ->> '$.{name}', '')) AS {column}"
    for name, column in _PROPERTIES.items()
)
_WEIGHTS = ", ".join(
    f"try_cast(coalesce(\"{cost}\", '0') AS DECIMAL(38, 12)) + "
    f"try_cast(coalesce(\"{cost}Adjustment\", '0') AS DECIMAL(38, 12)) AS {cost[:3]}_cost"
    for cost in _COSTS
)
_PARSED = f"""
    SELECT
        *,
        {time_of("given_start")} AS window_start,
        {time_of("given_end")} AS window_end,
        {texts_of("labels")} AS label_map
    FROM (
        SELECT
            location, modified, file_row, read_error, detail, raw, {_OWN}, {_WEIGHTS},
            coalesce("window" ->> '$.start', "start") AS given_start,
            coalesce("window" ->> '$.end', "end") AS given_end,
            coalesce(labels, properties ->> '$.labels') AS labels,
            ends_with(coalesce(name, pod, ''), '__idle__') AS is_idle, has_other_objects
        FROM (
            SELECT
                * REPLACE ({_object("properties")} AS properties, {_object("window")} AS "window"),
                {_object("properties")} IS DISTINCT FROM properties
                OR {_object("window")} IS DISTINCT FROM "window" AS has_other_objects
            FROM given
        )
    )
"""
_LANDED = ", ".join(
    f"coalesce(label_map, MAP([], []))::{TAGS} AS labels" if column == "labels" else column
    for column in landed.COLUMNS
)


@dataclass(frozen=True)
class OpenCostLanding:
    """What was landed: allocations of new files, total allocations, and rejected rows by reason."""

    path: Path
    allocations: int
    files_read: tuple[str, ...]
    files_gone: int
    ignored: tuple[str, ...]
    rejected: dict[str, int]


def ensure_landing(landing: Path) -> None:
    """Create the files, without rows, so that readers find every column."""
    landed.ensure_landing(landing)


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the exports in OpenCost's location."""
    settings = request.settings
    landing = land_allocations(
        request.open_location(settings.location_of("opencost")), settings.landing_folder
    )
    yield Landed(
        "opencost_allocations",
        {
            "dagster/row_count": landing.allocations,
            "files_read": landing.files_read,
            "files_gone": landing.files_gone,
            "ignored": landing.ignored,
            "path": landing.path,
        },
    )
    yield rejected_rows("opencost_rejected", landing.rejected, passed=not landing.rejected)


def land_allocations(location: Location, landing: Path) -> OpenCostLanding:
    """Land new and changed files of an export, and drop those that are gone.

    Rows that are not an allocation of a node are rejected with the reason. Raises `LocationError` if the
    location cannot be read.
    """
    landed.ensure_landing(landing)
    files = find_files(location, (*ENDINGS, ".json"))
    targets = {stored: landed.allocations_file(landing, location, stored) for stored in files.rows}
    fresh = [stored for stored, target in targets.items() if not target.exists()]
    kept = {landed.allocations_folder(landing) / "none.parquet", *targets.values()}
    gone = [path for path in landed.allocations_folder(landing).glob("*.parquet") if path not in kept]
    with reading_rows(COLUMNS) as (connection, folder):
        written: list[tuple[Path, Path]] = []
        for stored in fresh:
            connection.execute("DELETE FROM given")
            read_rows(connection, location, stored, COLUMNS, folder, documents=_DOCUMENTS)
            judge(connection, _PARSED, _RULES)
            connection.execute(
                "INSERT INTO rejected SELECT $place, NULL, 'no-allocations', $detail, NULL, true "
                "WHERE NOT EXISTS (FROM given)",
                {"place": location.describe(stored.key), "detail": _NOTHING},
            )
            beside = targets[stored].with_suffix(".writing")
            write_landed(
                connection, f"SELECT {_LANDED} FROM judged WHERE reason IS NULL ORDER BY file_row", beside
            )
            written.append((beside, targets[stored]))
        # Rejected rows first: once a file is landed, it is not read again.
        rejected = write_rejected(connection, location, files.rows, fresh, landed.rejected_file(landing))
    for beside, target in written:
        beside.replace(target)
    for path in gone:
        path.unlink()
    return OpenCostLanding(
        path=landed.allocations_folder(landing),
        allocations=sum(row_count(target) for target in targets.values()),
        files_read=tuple(location.describe(stored.key) for stored in fresh),
        files_gone=len(gone),
        ignored=tuple(location.describe(stored.key) for stored in files.ignored),
        rejected=rejected,
    )
