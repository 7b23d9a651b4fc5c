"""The marts, copied out of the working database for readers: a snapshot that never changes once it is seen.

    published/snapshots/<id>/marts.duckdb     every mart as a table of schema `main`
    published/snapshots/<id>/<mart>.parquet   the same, a file for each
    published/snapshots/<id>/snapshot.json    what is in it
    published/current          -> snapshots/<id>
    published/current.duckdb   -> current/marts.duckdb

A snapshot is written under a name that nobody reads, compared with the working database, made read-only, and
then swapped in by one atomic rename.

What belongs here: making, comparing, swapping and pruning snapshots, and noting the days that the new one
holds. What does not: what a mart contains, which is dbt's.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.settings import Settings
from orchestration.warehouse.links import point
from orchestration.working_database import open_warehouse

Connection = duckdb.DuckDBPyConnection

# BI tools bring an older DuckDB than ours, which refuses files in a newer form than it knows.
_STORAGE_VERSION = "v1.2.0"


class PublishError(Exception):
    """A snapshot is not what the working database holds, or must not be seen; readers keep the last one."""


@dataclass(frozen=True)
class Content:
    """What is in one mart: its number of rows, and a fingerprint of columns and rows in any order."""

    rows: int
    fingerprint: str


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot; `changed` is false when the one that readers had is still right."""

    folder: Path
    marts: dict[str, Content]
    changed: bool


def publish(settings: Settings, now: datetime) -> Snapshot:
    """Bring the marts to readers, then note the days they hold as built.

    Raises `PublishError` when the marts do not reconcile or the copy differs from them.
    """
    published = settings.published_folder
    with open_warehouse(settings, read_only=False) as warehouse:
        marts = _contents(warehouse, schema="marts")
        if not marts:
            raise PublishError(f"{settings.warehouse_file} has no marts; run the whole job first")
        _require_reconciled(warehouse)
        current = _current(published)
        changed = current is None or current.marts != marts
        if changed:
            folder = _make(warehouse, published, marts, current, now)
            _swap(published, folder)
        else:
            folder = current.folder if current else published
        _record_built_days(warehouse, now)
    _prune(published, keep=settings.snapshots_kept)
    return Snapshot(folder, marts, changed)


def _contents(connection: Connection, schema: str) -> dict[str, Content]:
    tables = connection.execute(
        "select table_name from information_schema.tables where table_schema = $1 order by 1", [schema]
    ).fetchall()
    return {table: _content(connection, f"{_name(schema)}.{_name(table)}") for (table,) in tables}


def _content(connection: Connection, relation: str) -> Content:
    columns = connection.execute(f"describe {relation}").fetchall()
    header = hashlib.sha256(repr([column[:2] for column in columns]).encode()).hexdigest()[:16]
    # A sum does not depend on the order of the rows, and counts a row that is there twice twice.
    rows, total = connection.execute(
        f"select count(*), coalesce(sum(hash(counted)::hugeint), 0) from {relation} as counted"
    ).fetchall()[0]
    return Content(rows, f"{header}-{total:x}")


def _require_reconciled(warehouse: Connection) -> None:
    """Look once more, on the very tables that are about to be copied, that no cent went missing."""
    columns = warehouse.execute(
        "select column_name from information_schema.columns where table_schema = 'marts' "
        "and table_name = 'reconciliation' and column_name like '%difference%' order by ordinal_position"
    ).fetchall()
    if not columns:
        raise PublishError("There is no mart `reconciliation` with a difference in it; nothing is published.")
    wrong = " or ".join(f"{_name(column)} is distinct from 0" for (column,) in columns)
    found = warehouse.execute(f"select count(*) from marts.reconciliation where {wrong}").fetchall()[0][0]
    if found:
        raise PublishError(
            f"{found} rows of marts.reconciliation have a difference that is not 0; nothing is published. "
            f"Look at: select * from marts.reconciliation where {wrong}"
        )


def _current(published: Path) -> Snapshot | None:
    """The snapshot that readers see now; None when there is none or it is not whole."""
    folder = (published / "current").resolve()
    description = folder / "snapshot.json"
    if not description.is_file() or not (folder / "marts.duckdb").is_file():
        return None
    marts = json.loads(description.read_text(encoding="utf-8"))["marts"]
    if any(not (folder / f"{mart}.parquet").is_file() for mart in marts):
        return None
    return Snapshot(folder, {mart: Content(**content) for mart, content in marts.items()}, changed=False)


def _make(
    warehouse: Connection,
    published: Path,
    marts: dict[str, Content],
    current: Snapshot | None,
    now: datetime,
) -> Path:
    snapshots = published / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    everything = "".join(f"{mart}:{content.fingerprint}\n" for mart, content in sorted(marts.items()))
    snapshot_id = f"{now:%Y%m%dT%H%M%S%f}Z-{hashlib.sha256(everything.encode()).hexdigest()[:8]}"
    folder = snapshots / snapshot_id
    unfinished = snapshots / f".{snapshot_id}"
    unfinished.mkdir()
    _copy_to_database(warehouse, list(marts), unfinished / "marts.duckdb")
    for mart, content in marts.items():
        target = unfinished / f"{mart}.parquet"
        if current and current.marts.get(mart) == content:
            _share(current.folder / target.name, target)
        else:
            warehouse.execute(
                f"copy marts.{_name(mart)} to {_text(target)} (format parquet, compression zstd)"
            )
    description = {
        "id": snapshot_id,
        "created": now.isoformat(),
        "marts": {m: asdict(c) for m, c in marts.items()},
    }
    (unfinished / "snapshot.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    for path in unfinished.iterdir():
        path.chmod(0o444)
        _sync(path)
    _require_same(unfinished, marts)
    _sync(unfinished)
    unfinished.rename(folder)
    _sync(snapshots)
    return folder


def _copy_to_database(warehouse: Connection, marts: list[str], target: Path) -> None:
    with _attached(warehouse, target):
        for mart in marts:
            warehouse.execute(f"create table snapshot.main.{_name(mart)} as from marts.{_name(mart)}")
        for statement in _comments(warehouse):
            warehouse.execute(statement)


@contextmanager
def _attached(warehouse: Connection, target: Path) -> Iterator[None]:
    warehouse.execute(f"attach {_text(target)} as snapshot (storage_version '{_STORAGE_VERSION}')")
    try:
        yield
    finally:
        warehouse.execute("detach snapshot")


def _comments(warehouse: Connection) -> list[str]:
    """The descriptions that dbt wrote on marts and columns, for the copy: BI tools show them."""
    here = "database_name = current_database() and schema_name = 'marts' and comment is not null"
    tables = warehouse.execute(
        f"select table_name, comment from duckdb_tables() where {here} "
        f"union all select view_name, comment from duckdb_views() where {here}"
    ).fetchall()
    columns = warehouse.execute(
        f"select table_name, column_name, comment from duckdb_columns() where {here}"
    ).fetchall()
    return [
        *(f"comment on table snapshot.main.{_name(table)} is {_text(said)}" for table, said in tables),
        *(
            f"comment on column snapshot.main.{_name(table)}.{_name(column)} is {_text(said)}"
            for table, column, said in columns
        ),
    ]


def _require_same(folder: Path, marts: dict[str, Content]) -> None:
    """Open what readers will open, as they will, and find exactly what passed the checks."""
    database = folder / "marts.duckdb"
    with closing(duckdb.connect(str(database), read_only=True)) as reader:
        copied = _contents(reader, schema="main")
        if copied != marts:
            different = sorted(mart for mart in {*marts, *copied} if marts.get(mart) != copied.get(mart))
            raise PublishError(f"The copy in {database} differs from the marts: {', '.join(different)}")
        for mart, content in marts.items():
            path = folder / f"{mart}.parquet"
            rows = reader.execute("select count(*) from read_parquet($1)", [str(path)]).fetchall()[0][0]
            if rows != content.rows:
                raise PublishError(f"{path} has {rows} rows, the mart {content.rows}")


def _swap(published: Path, folder: Path) -> None:
    """From one instant to the next, `current` is the new snapshot."""
    point(published / "current.duckdb", Path("current", "marts.duckdb"))
    point(published / "current", folder.relative_to(published))
    _sync(published)


def _record_built_days(warehouse: Connection, now: datetime) -> None:
    """Only now, when readers see them, do the days of this run count as built.

    A run that is killed before this point leaves them in `changed_days`, and the next one makes them again.
    """
    warehouse.execute("begin transaction")
    warehouse.execute(
        "delete from built.days where usage_date in (select usage_date from allocation.days_allocated)"
    )
    warehouse.execute(
        "insert into built.days by name select *, $1::timestamp as built_at from allocation.days_allocated "
        "where charges_fingerprint is not null or usage_fingerprint is not null",
        [now.astimezone(UTC).replace(tzinfo=None)],
    )
    warehouse.execute("commit")


def _prune(published: Path, keep: int) -> None:
    """Remove all but the newest snapshots, and what killed runs left. Open files stay readable."""
    current = (published / "current").resolve()
    folders = sorted((published / "snapshots").iterdir(), reverse=True)
    finished = [folder for folder in folders if not folder.name.startswith(".") and folder != current]
    unfinished = [folder for folder in folders if folder.name.startswith(".")]
    for folder in [*finished[keep - 1 :], *unfinished]:
        shutil.rmtree(folder)


def _share(existing: Path, target: Path) -> None:
    """One file under two names where the disk can; snapshots never change, so neither can tell."""
    try:
        target.hardlink_to(existing)
    except OSError:
        shutil.copyfile(existing, target)


def _sync(path: Path) -> None:
    """Have the disk hold a file's or folder's content before anything points to it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
