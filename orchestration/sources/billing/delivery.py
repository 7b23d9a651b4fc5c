"""Land one delivery of a bill: read its files, convert them and write landed Parquet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb

from orchestration.settings import BillingExport
from orchestration.sources.billing import landed
from orchestration.sources.billing.charges_file import write_charges
from orchestration.sources.billing.chunks import copied_files, restated_files
from orchestration.sources.billing.empty_columns import empty_column_notes, part_of
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import (
    AMOUNTS,
    BILLED,
    DAYS,
    NOT_IN_FINGERPRINT,
    USAGE_CATEGORY,
    Family,
    charges_schema,
    is_usage,
)
from orchestration.sources.billing.formats.detection import read_as
from orchestration.sources.billing.formats.files import (
    DataFile,
    known_columns,
    open_data_file,
)
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.manifest import Delivery
from orchestration.sources.billing.required_costs import reject_missing_costs
from orchestration.sources.billing.source_totals import ColumnReport, left_out
from orchestration.sources.billing.unclear_texts import reject_control_characters
from orchestration.sources.landing.notes import Note, assumed_encoding, write_notes
from orchestration.sources.locations import Location
from orchestration.warehouse.files import replacing
from orchestration.warehouse.sql import literal, quoted

# Columns that identify the billed account, per family.
_ACCOUNT = {
    "aws_cur": "coalesce(bill_payer_account_id, line_item_usage_account_id)",
    "focus": "billing_account_id",
}
_CURRENCY = {"aws_cur": "line_item_currency_code", "focus": "billing_currency"}


def connect(work: Path, threads: int = 0, memory_limit: str = "") -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB in UTC that may spill into `work`."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "temp_directory": str(work)})
    connection.execute("SET enable_progress_bar = false")  # it would overwrite the run's own progress bar
    connection.execute("set TimeZone = 'UTC'")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    if memory_limit:
        connection.execute(f"set memory_limit = {literal(memory_limit)}")
    return connection


def open_files(
    connection: duckdb.DuckDBPyConnection, location: Location, delivery: Delivery, work: Path
) -> list[DataFile]:
    """Fetch a delivery's files and read their headers."""
    return [
        open_data_file(
            connection, stored.key, location.describe(stored.key), location.fetch(stored.key, work), work
        )
        for stored in delivery.files
    ]


def group_files(
    connection: duckdb.DuckDBPyConnection, files: list[DataFile], export: BillingExport, delivery: Delivery
) -> list[tuple[Reading, list[DataFile]]]:
    """Files with the same columns, grouped, each group with how to read it."""
    groups: dict[object, list[DataFile]] = {}
    for file in files:
        groups.setdefault((file.kind, file.columns), []).append(file)
    readings = [
        (
            read_as(
                replace(group[0], columns=known_columns(connection, group)),
                export.format,
                delivery.legacy,
                delivery.month,
                export.billing_currency,
            ),
            group,
        )
        for group in groups.values()
    ]
    families = {reading.family for reading, _ in readings}
    if len(families) > 1:
        raise BillingError(
            f"{files[0].shown}: the files of one delivery are in different formats: {families}"
        )
    return readings


def land_delivery(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    export: BillingExport,
    delivery: Delivery,
    version: str,
    files: list[DataFile],
    require_unchanged: Callable[[], None],
) -> ColumnReport:
    """Replace a landed delivery as a whole: first its charges, then its days.

    `require_unchanged` is called after reading and raises if the delivery has changed meanwhile. Raises
    `BillingError` for unreadable content; nothing is replaced then.
    """
    groups = group_files(connection, files, export, delivery)
    family = groups[0][0].family
    charges = landed.charges_file(landing, family, export.name, delivery.name)
    days = landed.days_file(landing, export.name, delivery.name)
    with replacing(days) as new_days, replacing(charges) as new_charges:
        report = write_charges(connection, groups, new_charges)
        shown = {file.key: file.shown for file in files}
        copies: dict[str, str] = {}
        restated: list[Note] = []
        if delivery.kind == "file" and len(files) > 1:
            copies = copied_files(connection, new_charges, family, files)
            restated = restated_files(connection, files, copies)
        if copies:
            files = [file for file in files if file.key not in copies]
            groups = group_files(connection, files, export, delivery)
            report = write_charges(connection, groups, new_charges)
        _write_days(connection, new_charges, new_days, family, version, delivery)
        _reject_gaps(connection, new_charges, new_days, family, files, export)
        present = frozenset[str]().union(*(reading.present for reading, _ in groups))
        reject_missing_costs(connection, new_charges, family, present, files)
        reject_control_characters(connection, new_charges, family, report.unchecked_maps, files)
        require_unchanged()
        notes = empty_column_notes(connection, new_charges, family, export.name, delivery.name)
        notes += [*report.notes, *restated, *left_out(report, f"{export.name}/{delivery.name}")]
        notes += [assumed_encoding(file.shown) for file in files if file.encoding == "windows-1252"]
        notes += [
            Note(
                "bill-counted-once",
                f"{shown[copy]}: has the content of {shown[first]}, which counts once",
                "note",
            )
            for copy, first in copies.items()
        ]
        write_notes(landing, "billing", notes, part_of(export.name, delivery.name))
        for other in landed.FAMILIES:
            if other != family:
                landed.charges_file(landing, other, export.name, delivery.name).unlink(missing_ok=True)
    return report


def _write_days(
    connection: duckdb.DuckDBPyConnection,
    new_charges: Path,
    new_days: Path,
    family: Family,
    version: str,
    delivery: Delivery,
) -> None:
    content = ", ".join(quoted(name) for name in charges_schema(family) if name not in NOT_IN_FINGERPRINT)
    usage = is_usage(family, USAGE_CATEGORY[family])
    sums = ", ".join(f"{{'key': '{name}', 'value': sum({name})::decimal(38,12)}}" for name in AMOUNTS[family])
    amounts = f"map_from_entries(list_filter([{sums}], lambda e: e.value is not null))"
    connection.execute(
        f"""
        create or replace temp table new_days as
        with landed as (
            select
                billing_period,
                {_CURRENCY[family]} as billing_currency,
                usage_date,
                count(*) as landed_rows,
                -- On the last day that they cover: so far goes the bill.
                count(*) filter ({usage} and last_usage_date is null) as usage_row_count,
                -- A sum does not depend on the order of rows, and counts a repeated row each time.
                sum(hash({content})::hugeint)::varchar || '-' || count(*)::varchar as fingerprint,
                list(distinct {_ACCOUNT[family]} order by {_ACCOUNT[family]}) as billing_account_ids
            from read_parquet({literal(new_charges)}, hive_partitioning = false)
            group by all
        ),
        -- Days that a charge of an earlier day is for as well.
        spread_charges as (
            select
                billing_period,
                {_CURRENCY[family]} as billing_currency,
                unnest(generate_series(usage_date + 1, last_usage_date, interval 1 day))::date as usage_date,
                hash({content}) as content_hash,
                {usage} as is_usage,
                last_usage_date,
                {_ACCOUNT[family]} as billing_account_id
            from read_parquet({literal(new_charges)}, hive_partitioning = false)
            where last_usage_date is not null
        ),
        spread as (
            select
                billing_period,
                billing_currency,
                usage_date,
                sum(content_hash::hugeint)::varchar || '-' || count(*)::varchar as fingerprint,
                count(*) filter (is_usage and usage_date = last_usage_date) as usage_row_count,
                list(distinct billing_account_id order by billing_account_id) as billing_account_ids
            from spread_charges
            group by all
        ),
        source as (
            select
                billing_period,
                billing_currency,
                usage_date,
                sum(row_count)::bigint as row_count,
                sum({BILLED[family]})::decimal(38,12) as source_billed_cost,
                {amounts} as source_amounts
            from source_totals
            group by all
        )
        select
            '{family}' as family,
            coalesce(source.billing_period, spread.billing_period) as billing_period,
            coalesce(source.billing_currency, spread.billing_currency) as billing_currency,
            coalesce(source.usage_date, spread.usage_date) as usage_date,
            coalesce(source.row_count, 0) as row_count,
            coalesce(landed.usage_row_count, 0) + coalesce(spread.usage_row_count, 0) as usage_row_count,
            case
                when source.row_count is null or landed.fingerprint is not null
                then concat_ws('/', landed.fingerprint, spread.fingerprint)
            end as fingerprint,
            coalesce(source.source_billed_cost, 0) as source_billed_cost,
            coalesce(source.source_amounts, map([]::varchar[], []::decimal(38,12)[])) as source_amounts,
            coalesce(landed.billing_account_ids, spread.billing_account_ids) as billing_account_ids,
            {literal(version)} as delivery_version,
            '{delivery.kind}' as delivery_kind
        from source
        left join landed
            on source.billing_period is not distinct from landed.billing_period
            and source.billing_currency is not distinct from landed.billing_currency
            and source.usage_date is not distinct from landed.usage_date
            and source.row_count = landed.landed_rows
        full join spread
            on source.billing_period = spread.billing_period
            and source.billing_currency = spread.billing_currency
            and source.usage_date = spread.usage_date
        """
    ).fetchall()
    months = {
        month for (month,) in connection.execute("select distinct billing_period from new_days").fetchall()
    }
    if delivery.month:
        months.add(delivery.month)
    notes = {
        "family": family,
        "version": version,
        "kind": delivery.kind,
        "months": " ".join(sorted(month for month in months if month)),
    }
    shown = ", ".join(f"{key}: {literal(value)}" for key, value in notes.items())
    columns = ", ".join(f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in DAYS.items())
    connection.execute(
        f"copy (select {columns} from new_days order by billing_period, usage_date, billing_currency) "
        f"to {literal(new_days)} (format parquet, compression zstd, kv_metadata {{{shown}}})"
    ).fetchall()


def _reject_gaps(
    connection: duckdb.DuckDBPyConnection,
    new_charges: Path,
    new_days: Path,
    family: str,
    files: list[DataFile],
    export: BillingExport,
) -> None:
    """Reject charges without month, day or currency code, and rows lost during conversion."""
    needed = {
        "billing_period": "billing month; the file must give the start of the billing period",
        "usage_date": "usage day; the file must give the start of the charge",
        _CURRENCY[family]: f"currency; set billing_currency of the export {export.name}",
    }
    for name, advice in needed.items():
        rows = connection.execute(
            f"select landed_file, landed_row from read_parquet({literal(new_charges)}) "
            f"where {name} is null order by all limit 1"
        ).fetchall()
        if rows:
            shown = next(file.shown for file in files if file.key == rows[0][0])
            raise BillingError(f"{shown}: data row {rows[0][1]} has no {advice}")
    odd = connection.execute(
        f"select landed_file, landed_row, {_CURRENCY[family]} from read_parquet({literal(new_charges)}) "
        f"where not regexp_full_match({_CURRENCY[family]}, '[A-Z]{{3}}') order by all limit 1"
    ).fetchall()
    if odd:
        shown = next(file.shown for file in files if file.key == odd[0][0])
        raise BillingError(
            f"{shown}: data row {odd[0][1]}: the billing currency {odd[0][2]!r} is not a code of three "
            "letters such as USD, and would be a currency of its own; correct the file and deliver it again"
        )
    lost = connection.execute(
        f"select usage_date from read_parquet({literal(new_days)}) where fingerprint is null limit 1"
    ).fetchall()
    if lost:
        raise BillingError(
            f"{files[0].shown}: the rows of {lost[0][0]} that were landed are not those of the file; "
            "it changed while it was read: run again"
        )
