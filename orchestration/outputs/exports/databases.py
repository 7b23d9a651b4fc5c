"""Databases configured for export, and a record of what each one has."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import duckdb

from orchestration.outputs.exports.iceberg import export_to_iceberg
from orchestration.outputs.exports.marts import DatabaseExport, ExportError
from orchestration.outputs.exports.postgres import export_to_postgres
from orchestration.settings import Settings
from orchestration.warehouse.files import write_file
from orchestration.warehouse.made_from import digest

DATABASES = ("postgres", "iceberg")


def databases_of(settings: Settings) -> list[str]:
    """Names of the databases with a configured address."""
    addresses = {"postgres": settings.export_postgres, "iceberg": settings.export_iceberg}
    return [name for name in DATABASES if addresses[name]]


def export_to_database(
    name: str,
    marts: duckdb.DuckDBPyConnection,
    settings: Settings,
    only: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> DatabaseExport:
    """Export the published marts to one of `DATABASES`. Raises `ExportError`."""
    target = _target(name, settings)
    if name == "iceberg":
        done = export_to_iceberg(
            marts, settings.export_iceberg, target["snapshot"], settings.export_schema, only, progress
        )
    elif settings.export_postgres is None:
        raise ExportError(
            "No Postgres is set. Write its address into settings.yml, or the environment variable "
            "CPC_EXPORT_POSTGRES: postgresql://user:password@host/database"
        )
    else:
        done = export_to_postgres(
            marts, settings.export_postgres.get_secret_value(), settings.export_schema, only, progress
        )
    if not only:
        write_file(settings.export_folder / f"{name}.json", json.dumps(target) + "\n")
    return done


def is_exported(name: str, settings: Settings) -> bool:
    """Whether a database has the currently published snapshot."""
    record = settings.export_folder / f"{name}.json"
    return record.is_file() and json.loads(record.read_text(encoding="utf-8")) == _target(name, settings)


def _target(name: str, settings: Settings) -> dict[str, str]:
    """The record: which snapshot went where. The address may hold a password, so only its digest is kept."""
    secret = settings.export_postgres
    postgres = secret.get_secret_value() if secret else ""
    address = postgres if name == "postgres" else json.dumps(settings.export_iceberg, sort_keys=True)
    snapshot = (settings.published_folder / "current").resolve().name
    return {"snapshot": snapshot, "address": digest([address]), "schema": settings.export_schema}
