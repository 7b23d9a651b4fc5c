"""Rows of inventory files, for accounts that cannot be queried through APIs.

A file is JSONL, Parquet or CSV, one resource per row, with `snapshot_time`; the files of one folder are one
scope: a resource missing from a newer snapshot of the folder is gone. docs/signals.md describes the format.
"""

from __future__ import annotations

from orchestration.sources.files.rows import READ_ERROR, not_a_time, not_texts, texts_of, time_of
from orchestration.sources.landing.parquet import TAGS
from orchestration.sources.landing.snapshots import Snapshots

_RELATIONSHIPS = 'STRUCT(relationship VARCHAR, related_resource_id VARCHAR, "since" TIMESTAMP)[]'

# A row with only a snapshot time declares a snapshot, possibly an empty one.
_IS_EMPTY = "resource_id IS NULL AND resource_arn IS NULL AND resource_type IS NULL"
_RULES = (
    READ_ERROR,
    ("snapshot-time-missing", "snapshot_time IS NULL", "'snapshot_time is missing'"),
    not_a_time("snapshot_time", "moment"),
    ("resource-id-missing", f"resource_id IS NULL AND NOT ({_IS_EMPTY})", "'resource_id is missing'"),
    ("resource-type-missing", f"resource_type IS NULL AND NOT ({_IS_EMPTY})", "'resource_type is missing'"),
    not_a_time("created_at", "created"),
    not_texts("tags", "tag_map"),
    not_texts("attributes", "attribute_map"),
    (
        "relationships-format",
        "relationships IS NOT NULL AND related IS NULL",
        "'relationships ' || relationships || ' is not a list of objects with relationship and "
        "related_resource_id'",
    ),
    (
        "resource-twice",
        "place_in_snapshot > 1",
        "'resource ' || resource_id || ' is already in this snapshot; the first row counts'",
    ),
)


def _related() -> str:
    form = '[{"relationship": "VARCHAR", "related_resource_id": "VARCHAR", "since": "VARCHAR"}]'
    typed = (
        "list_transform(listed, lambda one: {'relationship': one.relationship, "
        "'related_resource_id': nfc_normalize(one.related_resource_id), "
        "'since': try_cast(one.since AS TIMESTAMPTZ) AT TIME ZONE 'UTC'})"
    ).replace("listed", f"from_json(relationships, '{form}')")
    return f"""
        CASE
            WHEN json_valid(relationships) AND json_type(relationships) = 'ARRAY'
                AND len(list_filter(
                    from_json(relationships, '["JSON"]'),
                    lambda one: json_type(one) <> 'OBJECT' OR one ->> 'relationship' IS NULL
                        OR one ->> 'related_resource_id' IS NULL
                )) = 0
                THEN {typed}
        END
    """


RESOURCE_VERSIONS = Snapshots(
    folder="inventory",
    versions="resource_versions",
    key="resource_id",
    content={
        "scope": "VARCHAR",
        "account_id": "VARCHAR",
        "region_id": "VARCHAR",
        "resource_type": "VARCHAR",
        "resource_arn": "VARCHAR",
        "resource_name": "VARCHAR",
        "tags": TAGS,
        "attributes": TAGS,
        "relationships": _RELATIONSHIPS,
        "created_at": "TIMESTAMP",
    },
    file_columns={
        "snapshot_time": "text",
        "resource_id": "text",
        "resource_arn": "text",
        "resource_type": "text",
        "account_id": "text",
        "region_id": "text",
        "resource_name": "text",
        "created_at": "text",
        "tags": "json",
        "attributes": "json",
        "relationships": "json",
    },
    parsed=f"""
        {time_of("snapshot_time")} AS moment,
        {time_of("created_at")} AS created,
        {texts_of("tags")} AS tag_map,
        {texts_of("attributes")} AS attribute_map,
        {_related()} AS related
    """,
    rules=_RULES,
    observed=f"""
        account_id, region_id, resource_type, resource_arn,
        coalesce(resource_name, tag_map['Name']) AS resource_name,
        coalesce(tag_map, MAP([], []))::{TAGS} AS tags,
        coalesce(attribute_map, MAP([], []))::{TAGS} AS attributes,
        list_sort(coalesce(related, []))::{_RELATIONSHIPS} AS relationships,
        created AS created_at
    """,
    compared="* REPLACE (list_sort(relationships) AS relationships)",
)
