"""The days of a delivery: per day a fingerprint of its landed charges beside the sums of the raw files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.sources.billing.charge_files import Files
from orchestration.sources.billing.empty_columns import NAMED_BY_RULES
from orchestration.sources.billing.formats.columns import (
    AMOUNTS,
    BILLED,
    CURRENCY,
    DAYS,
    NOT_IN_FINGERPRINT,
    USAGE_CATEGORY,
    Family,
    charges_schema,
    is_usage,
)
from orchestration.sources.billing.manifest import Delivery
from orchestration.warehouse.sql import literal, quoted

# Columns that identify the billed account, per family.
_ACCOUNT = {
    "aws_cur": "coalesce(bill_payer_account_id, line_item_usage_account_id)",
    "focus": "billing_account_id",
}


def make_days(
    connection: duckdb.DuckDBPyConnection,
    new: str,
    every: str,
    before: Path | None,
    files: Files,
    family: Family,
) -> None:
    """Make table `new_days` from `source_totals`, the `new` charges and those of `every` file (SQL that reads
    them); what is known of kept files is in `before`, the days that landed last.
    """
    content = ", ".join(quoted(name) for name in charges_schema(family) if name not in NOT_IN_FINGERPRINT)
    usage = is_usage(family, USAGE_CATEGORY[family])
    sums = ", ".join(f"{{'key': '{name}', 'value': sum({name})::decimal(38,12)}}" for name in AMOUNTS[family])
    amounts = f"map_from_entries(list_filter([{sums}], lambda e: e.value is not null))"
    with_values = ", ".join(
        f"case when count({sql}) > 0 then '{name}' end" for name, sql in NAMED_BY_RULES[family].items()
    )
    names = ", ".join(
        f"({'null' if day is None else literal(day)}::date, {literal(name)})"
        for day, name in files.written.items()
    )
    kept = ""
    if before is not None:
        shown = ", ".join(literal(name) for name in files.kept)
        kept = (
            "union all by name select billing_period, billing_currency, usage_date, file, landed "
            f"from read_parquet({literal(before)}, hive_partitioning = false) where file in ({shown})"
        )
    connection.execute(
        f"""
        create or replace temp table new_days as
        with written as (
            select col0 as usage_date, col1 as file
            from (values {names or "(null::date, null::varchar)"})
        ),
        landed_now as (
            select
                billing_period,
                {CURRENCY[family]} as billing_currency,
                usage_date,
                {{
                    'row_count': count(*),
                    -- On the last day that they cover: so far goes the bill.
                    'usage_row_count': count(*) filter ({usage} and last_usage_date is null),
                    -- A sum does not depend on the order of rows, and counts a repeated row each time.
                    'fingerprint': sum(hash({content})::hugeint)::varchar || '-' || count(*)::varchar,
                    'billing_account_ids': list(distinct {_ACCOUNT[family]} order by {_ACCOUNT[family]}),
                    'columns_with_values': list_filter([{with_values}], lambda name: name is not null)
                }} as landed
            from {new}
            group by all
        ),
        landed as (
            select landed_now.*, written.file
            from landed_now
            left join written on landed_now.usage_date is not distinct from written.usage_date
            {kept}
        ),
        -- Days that a charge of an earlier day is for as well.
        spread_charges as (
            select
                billing_period,
                {CURRENCY[family]} as billing_currency,
                unnest(generate_series(usage_date + 1, last_usage_date, interval 1 day))::date as usage_date,
                hash({content}) as content_hash,
                {usage} as is_usage,
                last_usage_date,
                {_ACCOUNT[family]} as billing_account_id
            from {every}
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
                sum(content)::varchar as content,
                sum({BILLED[family]})::decimal(38,12) as billed_cost,
                {amounts} as amounts
            from source_totals
            group by all
        )
        select
            '{family}' as family,
            coalesce(source.billing_period, spread.billing_period) as billing_period,
            coalesce(source.billing_currency, spread.billing_currency) as billing_currency,
            coalesce(source.usage_date, spread.usage_date) as usage_date,
            coalesce(source.row_count, 0) as row_count,
            coalesce(landed.landed.usage_row_count, 0)
            + coalesce(spread.usage_row_count, 0) as usage_row_count,
            case
                when source.row_count is null or landed.landed is not null
                then concat_ws('/', landed.landed.fingerprint, spread.fingerprint)
            end as fingerprint,
            coalesce(source.billed_cost, 0) as source_billed_cost,
            coalesce(source.amounts, map([]::varchar[], []::decimal(38,12)[])) as source_amounts,
            coalesce(landed.landed.billing_account_ids, spread.billing_account_ids) as billing_account_ids,
            landed.file,
            source.content as source_content,
            landed.landed
        from source
        left join landed
            on source.billing_period is not distinct from landed.billing_period
            and source.billing_currency is not distinct from landed.billing_currency
            and source.usage_date is not distinct from landed.usage_date
            and source.row_count = landed.landed.row_count
        full join spread
            on source.billing_period = spread.billing_period
            and source.billing_currency = spread.billing_currency
            and source.usage_date = spread.usage_date
        """
    ).fetchall()


def write_days(
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    family: Family,
    version: str,
    delivery: Delivery,
    made_by: str,
) -> None:
    """Write table `new_days`, with what a landing asks of its delivery in the file's metadata."""
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
        "made_by": made_by,
    }
    shown = ", ".join(f"{key}: {literal(value)}" for key, value in notes.items())
    delivered = f"{literal(version)} as delivery_version, '{delivery.kind}' as delivery_kind"
    columns = ", ".join(f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in DAYS.items())
    connection.execute(
        f"copy (select {columns} from (select *, {delivered} from new_days) "
        f"order by billing_period, usage_date, billing_currency) to {literal(target)} "
        f"(format parquet, compression zstd, kv_metadata {{{shown}}})"
    ).fetchall()
