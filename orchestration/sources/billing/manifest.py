"""Find the files that form the current bill: pure functions from a listing and manifests to deliveries.

AWS writes a bill as many files and then a manifest that names them; files of older deliveries may lie next to
them. So only files named by the current manifest are read, never everything under a prefix.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.locations import StoredObject

ReportKind = Literal["cur_legacy", "export"]

DATA_FILE_ENDINGS = (".csv", ".csv.gz", ".csv.zip", ".zip", ".parquet")
_OTHER_TABLES = (
    *(".txt", ".tsv", ".json", ".jsonl", ".ndjson", ".xls", ".xlsx", ".ods", ".orc", ".avro"),
    *(".bz2", ".xz", ".zst", ".7z", ".tar.gz", ".tgz"),
)
_MANIFEST_ENDING = "-Manifest.json"
_DATES = r"(?P<dates>(?P<year>\d{4})(?P<month>\d{2})\d{2}-\d{8})"
_LEGACY = re.compile(rf"(?P<root>(?:.*/)?){_DATES}/(?:(?P<version>[^/]+)/)?(?P<name>[^/]+){_MANIFEST_ENDING}")
_EXPORT = re.compile(
    r"(?P<root>(?:.*/)?)metadata/billing_period=(?P<year>\d{4})-(?P<month>\d{2})/"
    rf"(?:(?P<version>[^/]+)/)?(?P<name>[^/]+){_MANIFEST_ENDING}",
    re.IGNORECASE,
)
# Parts of a data file's key below the report's root, in AWS's layouts.
_BELOW_ROOT = re.compile(
    r"(?P<root>(?:.*?/)?)(?P<rest>"
    r"(?:\d{8}-\d{8}|[^/]+/year=\d{4}/month=\d{1,2}|data/billing_period=\d{4}-\d{2})/.+)",
    re.IGNORECASE,
)
_INSIDE_TREE = re.compile(
    r"(?:\d{8}-\d{8}/|[^/]+/year=\d{4}/|[^/]+/cost_and_usage_data_status/|data/|metadata/).*", re.IGNORECASE
)


@dataclass(frozen=True)
class ReportManifest:
    """The current manifest of a report and billing month, as seen in a listing."""

    kind: ReportKind
    root: str  # key prefix of the report, '' or ending in '/'
    name: str  # report or export name
    month: str  # YYYY-MM
    stored: StoredObject


@dataclass(frozen=True)
class Delivery:
    """What is the bill now, of one report and month, or of one bare file.

    `files` are the objects to read, all together; `version` changes whenever any of them does;
    `month` is None when only the file itself tells.
    """

    name: str
    kind: Literal["manifest", "file"]
    month: str | None
    files: tuple[StoredObject, ...]
    version: str
    described_by: str  # key of the manifest, or of the bare file
    notes: tuple[str, ...] = ()  # notes for the user
    legacy: bool = False  # the manifest is a legacy CUR's
    columns: tuple[str, ...] = ()  # as listed in the manifest; may be incomplete


@dataclass(frozen=True)
class Listing:
    """A location's listing, sorted by the purpose of each object."""

    manifests: tuple[ReportManifest, ...]
    bare_files: tuple[StoredObject, ...]
    notes: tuple[str, ...]  # ignored objects, shown to the user
    unknown: tuple[str, ...]  # keys of tables in a form that is not read


def read_listing(objects: Iterable[StoredObject]) -> Listing:
    """Find the current manifest of every report and month, and the files without a report."""
    stored = list(objects)
    seen: dict[tuple[str, str, str], list[tuple[re.Match[str], ReportManifest]]] = {}
    for item in stored:
        for kind, pattern in (("cur_legacy", _LEGACY), ("export", _EXPORT)):
            found = pattern.fullmatch(item.key)
            if found:
                manifest = ReportManifest(
                    kind="cur_legacy" if kind == "cur_legacy" else "export",
                    root=found["root"],
                    name=found["name"],
                    month=f"{found['year']}-{found['month']}",
                    stored=item,
                )
                group = (manifest.root, manifest.name, manifest.month)
                seen.setdefault(group, []).append((found, manifest))
    notes: list[str] = []
    current: list[ReportManifest] = []
    for (_, name, month), candidates in sorted(seen.items()):
        chosen = _current(candidates)
        if chosen is None:
            folder = candidates[0][1].stored.key.rsplit("/", 2)[0]
            notes.append(
                f"{folder}/: {name} of {month} is not read, there is no {name}{_MANIFEST_ENDING} in that "
                "folder to say which delivery is the current one"
            )
        else:
            current.append(chosen)
    roots = sorted({(root, name) for root, name, _ in seen}, key=lambda report: -len(report[0]))
    bare: list[StoredObject] = []
    for item in stored:
        if not item.key.lower().endswith(DATA_FILE_ENDINGS) or "cost_and_usage_data_status/" in item.key:
            continue
        holder = next(((root, name) for root, name in roots if item.key.startswith(root)), None)
        if holder is None or (holder[0] == "" and not _INSIDE_TREE.fullmatch(item.key)):
            bare.append(item)
        elif not _INSIDE_TREE.fullmatch(item.key.removeprefix(holder[0])):
            notes.append(
                f"{item.key}: not read, it is inside the report {holder[1]} but no manifest names it"
            )
    unknown = tuple(item.key for item in stored if _is_unknown_table(item.key))
    return Listing(tuple(current), tuple(bare), tuple(notes), unknown)


def _is_unknown_table(key: str) -> bool:
    """Whether the file may be taken for a bill: its name says that it holds rows, in another form."""
    lowered = key.lower()
    is_hidden = any(part.startswith((".", "_")) for part in lowered.split("/"))
    return lowered.endswith(_OTHER_TABLES) and not is_hidden and "manifest" not in lowered


def _current(candidates: list[tuple[re.Match[str], ReportManifest]]) -> ReportManifest | None:
    pointers = [manifest for found, manifest in candidates if not found["version"]]
    if candidates[0][1].kind == "cur_legacy":
        # The manifest in the date folder points to the current delivery; copies next to old deliveries do
        # not.
        return pointers[0] if pointers else None
    versions = [
        (_written_at(found["version"]), manifest) for found, manifest in candidates if found["version"]
    ]
    newest = [max(versions, key=lambda version: version[0])[1]] if versions else []
    # An export switched between "overwrite" and "create new" has both: the latest is the bill.
    return max(pointers[:1] + newest, key=lambda manifest: manifest.stored.modified, default=None)


def _written_at(folder: str) -> str:
    """Digits of the time in `<ISO time>-<execution id>`, which sort like the times."""
    time = re.match(r"\d{4}-?\d{2}-?\d{2}[T ]?[\d:.\-]*?(?=Z|[+-]?[0-9a-fA-F]{8}-|$)", folder)
    return re.sub(r"\D", "", time.group() if time else folder)[:20].ljust(20, "0") + folder


def read_manifest(
    manifest: ReportManifest,
    text: bytes,
    objects: Mapping[str, StoredObject],
    bucket: str | None,
    prefix: str,
) -> Delivery | None:
    """The delivery that a manifest describes, or None for an export that is not a bill.

    `objects` is the location's listing by key. `bucket` and `prefix` say where the location lies on S3;
    with `bucket` None it is a folder, which may be a copy of a bucket from any depth on. Raises
    `BillingError` for a manifest that cannot be read, names what does not exist, or leaves its report.
    """
    where = f"s3://{bucket}/{prefix}{manifest.stored.key}" if bucket else manifest.stored.key
    try:
        content = json.loads(text)
        columns = tuple(_column_name(column) for column in content.get("columns", ()))
        if manifest.kind == "cur_legacy":
            delivery_id = str(content["assemblyId"])
            named = [(content.get("bucket"), key) for key in content["reportKeys"]]
        else:
            delivery_id = str(content["executionId"])
            named = [_split_uri(uri, where) for uri in content["dataFiles"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BillingError(
            f"{where}: this is not a manifest as AWS writes it ({error!r}); deliver the report again"
        ) from error
    lowered = {column.lower() for column in columns}
    if columns and manifest.kind == "export" and not lowered & {"line_item_unblended_cost", "billedcost"}:
        return None
    anchors: set[tuple[str | None, str]] = set()
    elsewhere = sorted({source for source, _ in named if bucket and source not in (None, bucket)})
    keys = [_relative(manifest, where, source, key, bucket, prefix, anchors) for source, key in named]
    if len(anchors) > 1:
        raise BillingError(f"{where}: names files of several reports: {sorted(map(str, anchors))}; rejected")
    if not keys:
        raise BillingError(f"{where}: names no data file; deliver the report again")
    if len(set(keys)) < len(keys):
        raise BillingError(f"{where}: names the same file twice; its charges would count twice")
    missing = [key for key in keys if key not in objects]
    if missing and elsewhere:
        raise BillingError(
            f"{where}: names the files of the bucket {elsewhere[0]}, and {prefix}{missing[0]} does not "
            f"exist in the bucket {bucket} beside the manifest"
            + (f" (nor do {len(missing) - 1} more)" if len(missing) > 1 else "")
            + f"; replicate the whole report, or set the export's location to s3://{elsewhere[0]}"
        )
    if missing:
        raise BillingError(
            f"{where}: names {prefix}{missing[0]}, which does not exist"
            + (f" (and {len(missing) - 1} more)" if len(missing) > 1 else "")
            + "; copy or deliver the report again"
        )
    files = tuple(objects[key] for key in keys)
    return Delivery(
        name=f"{safe_name(manifest.name)}.{manifest.month}",
        kind="manifest",
        month=manifest.month,
        files=files,
        version=content_version(
            delivery_id, manifest.stored.version, *(f"{f.key}:{f.version}" for f in files)
        ),
        described_by=manifest.stored.key,
        notes=tuple(
            f"{where}: names files of the bucket {other}; those of the same keys in {bucket} were read, "
            "because the manifest is there"
            for other in elsewhere
        ),
        legacy=manifest.kind == "cur_legacy",
        columns=columns,
    )


def safe_name(name: str) -> str:
    """A report's name for use in a folder name; changed names stay distinct."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def content_version(*parts: str) -> str:
    """A text that changes whenever one of the parts does."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _column_name(column: object) -> str:
    if isinstance(column, dict):
        category = column.get("category")
        return f"{category}/{column['name']}" if category else str(column["name"])
    return str(column)


def _split_uri(uri: str, where: str) -> tuple[str, str]:
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() != "s3" or not bucket or not key:
        raise BillingError(f"{where}: {uri!r} is not an s3:// address of a file")
    return bucket, key


def _relative(
    manifest: ReportManifest,
    where: str,
    named_bucket: str | None,
    key: str,
    bucket: str | None,
    prefix: str,
    anchors: set[tuple[str | None, str]],
) -> str:
    """Key below the location of a file that a manifest names by its key in a bucket."""
    shown = f"s3://{named_bucket}/{key}" if named_bucket else key
    if not isinstance(key, str) or {"..", "."} & set(key.split("/")) or "\0" in key:
        raise BillingError(f"{where}: names {shown}, which leaves the report; rejected")
    if bucket is not None:
        home = prefix + manifest.root
        # The bucket is not compared: in a replicated bucket, the manifest still names the original.
        if not key.startswith(home) or key == home:
            raise BillingError(
                f"{where}: names {shown}, which is outside of the report s3://{bucket}/{home}; rejected"
            )
        return key.removeprefix(prefix)
    # A copied folder: what was above the report in the bucket is unknown, only the report's inner layout is.
    below = _BELOW_ROOT.fullmatch(key)
    folder = below["root"].rstrip("/").rpartition("/")[2] if below else ""
    if below is None or folder not in ("", manifest.name):
        raise BillingError(
            f"{where}: names {shown}, which is outside of the report {manifest.name}; rejected"
        )
    anchors.add((named_bucket, below["root"]))
    return manifest.root + below["rest"]
