"""Write, audit, publish: marts that passed every check become the published snapshot.

A snapshot is built next to the current one, checked, and swapped in by an atomic rename. Marts kept by day
are not copied: the snapshot hard-links their day files, and unchanged files are not read, written or hashed
again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.settings import Settings
from orchestration.warehouse.files import protect, share, sync
from orchestration.warehouse.mart_views import Relation, views_of_marts
from orchestration.warehouse.reader_database import columns_of, make_reader_database
from orchestration.warehouse.snapshots import (
    DATABASE,
    Content,
    Snapshot,
    current_snapshot,
    finish,
    prune,
    swap,
)
from orchestration.warehouse.sql import literal, quoted
from orchestration.warehouse.working_database import open_warehouse

Connection = duckdb.DuckDBPyConnection


class PublishError(Exception):
    """A snapshot differs from the working database or must not be published; readers keep the last one."""


def publish(settings: Settings, now: datetime) -> Snapshot:
    """Publish the marts, then record their days as built.

    Raises `PublishError` if the marts do not reconcile or the copy differs from them.
    """
    published = settings.published_folder
    with open_warehouse(settings, read_only=False) as warehouse:
        days = _files_of_days(warehouse)
        # Since FOCUS 1.3 its rows are views over pools and shares.
        newest_days = settings.explanations_days if settings.focus_version == "1.2" else None
        views = views_of_marts(warehouse, newest_days)
        marts = {
            **_contents(warehouse, "marts", without={*days, *_names(views)}),
            **_contents_of_days(warehouse, days),
            **_contents_of_views(warehouse, views),
        }
        if not marts:
            raise PublishError(f"{settings.warehouse_file} has no marts; run the whole job first")
        _require_reconciled(warehouse)
        current = current_snapshot(published)
        changed = current is None or current.marts != marts
        if current is None or changed:
            folder = _make(warehouse, published, marts, days, views, current, now)
            swap(published, folder)
        else:
            folder = current.folder
        _record_built_days(warehouse, now)
        prune(published, keep=settings.snapshots_kept)
        _remove_stale_days(warehouse, settings.days_folder)
    return Snapshot(folder, marts, changed)


def _files_of_days(warehouse: Connection) -> dict[str, list[Path]]:
    """Files of each mart that is kept by day and has any."""
    found = warehouse.execute(
        "select model[7:], list(file order by file) from built.day_files "
        "where model like 'marts.%' and file is not null group by model order by model"
    ).fetchall()
    return {mart: [Path(file) for file in files] for mart, files in found}


def _contents_of_days(warehouse: Connection, days: dict[str, list[Path]]) -> dict[str, Content]:
    """A day's file never changes, so file names identify the content."""
    rows = dict(
        warehouse.execute("select model[7:], sum(row_count) from built.day_files group by model").fetchall()
    )
    contents = {}
    for mart, paths in days.items():
        files = tuple("/".join(path.parts[-2:]) for path in paths)
        columns = columns_of(warehouse, f"marts.{quoted(mart)}")
        contents[mart] = Content(int(rows[mart]), _digest([columns, files]), files)
    return contents


def _contents_of_views(warehouse: Connection, views: Sequence[Relation]) -> dict[str, Content]:
    """All of them change with whatever any of them reads besides marts."""
    files = tuple("/".join(path.parts[-2:]) for view in views for path in view.files or ())
    tables = [
        _content(warehouse, f"{quoted(view.schema)}.{quoted(view.name)}")
        for view in views
        if view.files is None and not view.statement
    ]
    contents = {}
    for mart in _names(views):
        columns = columns_of(warehouse, f"marts.{quoted(mart)}")
        read = [view.definition for view in views]
        contents[mart] = Content(None, _digest([columns, read, tables, files]), _reads(views), is_view=True)
    return contents


def _names(views: Sequence[Relation]) -> list[str]:
    return [view.name for view in views if view.is_mart]


def _reads(views: Sequence[Relation]) -> tuple[str, ...]:
    """The files of days that the views read, relative to their folder in the snapshot."""
    return tuple(
        f"{view.schema}/{view.name}/{path.parent.name}/{path.name}"
        for view in views
        for path in view.files or ()
    )


def _contents(connection: Connection, schema: str, without: Collection[str] = ()) -> dict[str, Content]:
    tables = connection.execute(
        "select table_name from information_schema.tables where table_schema = $1 order by 1", [schema]
    ).fetchall()
    names = [table for (table,) in tables if table not in without]
    return {table: _content(connection, f"{quoted(schema)}.{quoted(table)}") for table in names}


def _content(connection: Connection, relation: str) -> Content:
    columns = connection.execute(f"describe {relation}").fetchall()
    # A sum is independent of row order, and counts duplicate rows twice.
    rows, total = connection.execute(
        f"select count(*), coalesce(sum(hash(counted)::hugeint), 0) from {relation} as counted"
    ).fetchall()[0]
    return Content(rows, f"{_digest([column[:2] for column in columns])}-{total:x}")


def _require_reconciled(warehouse: Connection) -> None:
    """Check the reconciliation of this run's days once more, in the very files being published."""
    exists = "table_schema = 'marts' and table_name = 'reconciliation' and column_name = 'difference'"
    found = warehouse.execute(f"select 1 from information_schema.columns where {exists}").fetchall()
    if not found:
        raise PublishError(
            "The mart `reconciliation` with its `difference` is missing; nothing is published."
        )
    wrong = "difference is distinct from 0"
    days = "usage_date in (select usage_date from built.checked_days)"
    count = warehouse.execute(
        f"select count(*) from marts.reconciliation where {wrong} and {days}"
    ).fetchall()[0][0]
    if count:
        raise PublishError(
            f"{count} rows of marts.reconciliation have a difference that is not 0; nothing is published. "
            f"Look at: select * from marts.reconciliation where {wrong}"
        )


def _make(
    warehouse: Connection,
    published: Path,
    marts: dict[str, Content],
    days: dict[str, list[Path]],
    views: Sequence[Relation],
    current: Snapshot | None,
    now: datetime,
) -> Path:
    everything = sorted((mart, content.fingerprint) for mart, content in marts.items())
    folder = published / "snapshots" / f"{now:%Y%m%dT%H%M%S%f}Z-{_digest(everything)[:8]}"
    folder.mkdir(parents=True)
    new: dict[str, list[Path]] = {}
    for mart, content in marts.items():
        before = current.marts.get(mart) if current else None
        if content.files or content.is_view:
            files = days.get(mart, [path for view in views for path in view.files or ()])
            new[mart] = _link_days(content, files, content.folder_of_files(folder, mart), before)
        elif current and before == content:
            share(current.folder / f"{mart}.parquet", folder / f"{mart}.parquet")
        else:
            target = folder / f"{mart}.parquet"
            warehouse.execute(
                f"copy marts.{quoted(mart)} to {literal(target)} (format parquet, compression zstd)"
            )
            protect(target)
    make_reader_database(warehouse, folder, marts, views)
    _require_same(warehouse, folder, marts, new)
    finish(folder, marts, now)
    return folder


def _link_days(content: Content, files: list[Path], folder: Path, before: Content | None) -> list[Path]:
    """Link the mart's files into the snapshot's folder; returns those the last snapshot lacks."""
    folder.mkdir(exist_ok=True)
    known = set(before.files) if before else set()
    new = []
    for name, file in zip(content.files, files, strict=True):
        target = folder / name
        if not target.exists():  # views read the same files
            share(file, target)
        if name not in known:
            protect(target)
            new.append(target)
    for period in {path.parent for path in new}:
        sync(period)
    sync(folder)
    return new


def _require_same(
    warehouse: Connection, folder: Path, marts: dict[str, Content], new: dict[str, list[Path]]
) -> None:
    """Open what readers will open, the way they will, and check that it is exactly what passed the checks."""
    database = folder / DATABASE
    with closing(duckdb.connect(str(database), read_only=True)) as reader:
        not_copied = [mart for mart, content in marts.items() if content.files or content.is_view]
        copied = _contents(reader, schema="main", without=not_copied)
        expected = {mart: content for mart, content in marts.items() if mart not in not_copied}
        if copied != expected:
            different = sorted(
                mart for mart in {*expected, *copied} if expected.get(mart) != copied.get(mart)
            )
            raise PublishError(f"The copy in {database} differs from the marts: {', '.join(different)}")
        for mart, content in expected.items():
            path = folder / f"{mart}.parquet"
            rows = reader.execute("select count(*) from read_parquet($1)", [str(path)]).fetchall()[0][0]
            if rows != content.rows:
                raise PublishError(f"{path} has {rows} rows, the mart {content.rows}")
        for mart in not_copied:
            reader.execute(f"describe {quoted(mart)}")
            _require_rows_of_days(warehouse, reader, mart, new[mart])


def _require_rows_of_days(warehouse: Connection, reader: Connection, mart: str, new: list[Path]) -> None:
    if not new:
        return
    noted = "select sum(row_count) from built.day_files where parse_filename(file) in $1"
    names = [path.name for path in new]
    expected = warehouse.execute(noted, [names]).fetchall()[0][0]
    files = [str(path) for path in new]
    rows = reader.execute("select sum(num_rows) from parquet_file_metadata($1)", [files]).fetchall()[0][0]
    if rows != expected:
        raise PublishError(f"The new files of {mart} have {rows} rows, the mart's days {expected}")


def _record_built_days(warehouse: Connection, now: datetime) -> None:
    """Only now, when the snapshot is live, do the run's days count as built.

    A run killed before this leaves them in `changed_days`, and the next one rebuilds them.
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


def _remove_stale_days(warehouse: Connection, folder: Path) -> None:
    """Remove day files that were replaced or left by killed runs; snapshots keep their own links."""
    listed = warehouse.execute("select file from built.day_files where file is not null").fetchall()
    counting = {file for (file,) in listed}
    for path in folder.glob("*/*/*.parquet"):
        if str(path) not in counting:
            path.unlink()
            with suppress(OSError):  # it contains other files
                path.parent.rmdir()


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
