"""Check files numbered like chunks of one report: whether they are chunks, copies, or restated copies."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from orchestration.sources.billing.charge_keys import KEYS, charge_keys
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import Family
from orchestration.sources.billing.formats.files import DataFile
from orchestration.sources.landing.notes import Note

# Of the day that is most of the bill, as far as two files share one: what each of the pair bills on it, what
# both do, and whether they are the same throughout. Numbers of a report's chunks share hardly a charge.
_DAY = """
    days as (
        select usage_date, landed_file, sum(abs(billed)) as money from charges group by all
    ),

    day as (
        select usage_date
        from days
        group by usage_date
        having count(*) > 1
        order by sum(money) desc, usage_date
        limit 1
    ),
"""
_PAIRS = f"""
with
    {_DAY}
    keyed as (
        select landed_file, key, sum(abs(billed)) as money
        from charges
        where usage_date in (select usage_date from day)
        group by all
    ),

    files as (
        select landed_file, count(*) as row_count, sum(billed) as billed, sum(key::hugeint) as content
        from charges
        group by all
    )

select
    a.landed_file,
    b.landed_file,
    any_value(day.usage_date)::varchar,
    sum(least(a.money, b.money))::decimal(38, 2),
    any_value((of_a.row_count, of_a.billed, of_a.content) = (of_b.row_count, of_b.billed, of_b.content))
from keyed as a
inner join keyed as b on a.key = b.key and a.landed_file < b.landed_file
inner join files as of_a on of_a.landed_file = a.landed_file
inner join files as of_b on of_b.landed_file = b.landed_file
cross join day
inner join days as days_a on days_a.landed_file = a.landed_file and days_a.usage_date = day.usage_date
inner join days as days_b on days_b.landed_file = b.landed_file and days_b.usage_date = day.usage_date
group by all
having 2 * sum(least(a.money, b.money)) >= least(any_value(days_a.money), any_value(days_b.money))
order by all
"""
# Charges of that day that agree in all but their amounts: most of what both files bill on it, each of a
# resource or the only one of its kind. Chunks of a report share few kinds of charges.
_RESTATED = f"""
with
    {_DAY}
    kinds as (
        select
            landed_file, kind,
            any_value(billing_period) as billing_period, any_value(currency) as currency,
            sum(billed) as billed, sum(abs(billed)) as money, count(*) as row_count,
            bool_and(has_resource) as has_resource
        from charges
        where usage_date in (select usage_date from day)
        group by all
    )

select
    a.landed_file,
    b.landed_file,
    any_value(day.usage_date)::varchar,
    any_value(a.billing_period),
    any_value(a.currency),
    sum(a.billed)::decimal(38, 12),
    sum(b.billed)::decimal(38, 12)
from kinds as a
inner join kinds as b on a.kind = b.kind and a.landed_file < b.landed_file
cross join day
inner join days as days_a on days_a.landed_file = a.landed_file and days_a.usage_date = day.usage_date
inner join days as days_b on days_b.landed_file = b.landed_file and days_b.usage_date = day.usage_date
group by a.landed_file, b.landed_file
having
    least(sum(a.billed), sum(b.billed)) > 0
    and 2 * least(sum(a.billed), sum(b.billed)) > greatest(sum(a.billed), sum(b.billed))
    and 2 * sum(a.money) >= any_value(days_a.money)
    and 2 * sum(b.money) >= any_value(days_b.money)
    and (bool_and(a.has_resource) or max(greatest(a.row_count, b.row_count)) = 1)
order by all
"""


def copied_files(
    connection: duckdb.DuckDBPyConnection, charges: str, family: Family, files: list[DataFile]
) -> dict[str, str]:
    """Keys of files with the content of another one → that file's key. Leaves the table `charges`.

    Raises `BillingError` for files that share only some charges: they are not chunks of one report.
    """
    connection.execute(
        "create or replace temp table charges as "
        "select landed_file, billing_period, currency, usage_date, billed, "
        f"hash({', '.join(KEYS)}) as key, hash(billing_period, currency, time_key, words_key, tags_key, sub, "
        "coalesce(resource_key, description_key)) as kind, resource_key is not null as has_resource "
        f"from {charge_keys(family, charges)}"
    ).fetchall()
    shown = {file.key: file.shown for file in files}
    copies: dict[str, str] = {}
    for first, second, day, money, is_same in connection.execute(_PAIRS).fetchall():
        if not is_same:
            raise BillingError(
                f"{shown[second]}: is numbered as another chunk of the report that {shown[first]} is of, and "
                f"both hold the same charges, on {day} alone for {money:,}. Take the one away that does not "
                "count, or name it in the export's ignore (settings.yml); should both count, give them names "
                "that differ in more than a number. Nothing of this delivery was landed"
            )
        copies.setdefault(second, copies.get(first, first))
    return copies


def restated_files(
    connection: duckdb.DuckDBPyConnection, files: list[DataFile], copies: Mapping[str, str]
) -> list[Note]:
    """Notes on files of a delivery that may restate one another, from the table of `copied_files`."""
    shown = {file.key: file.shown for file in files}
    return [
        Note(
            "bill-restated",
            f"{shown[second]}: is numbered as another chunk of the report that {shown[first]} is of, and may "
            f"restate it: the same charges of {day} are {one:,.2f} {currency} there and {other:,.2f} "
            f"{currency} here, and both count. Take the earlier one away, or name it in the export's ignore "
            "(settings.yml)",
            "error",
            subject=shown[second],
            billing_period=period,
            billing_currency=currency,
            effective_cost=other,
            place=shown[second],
        )
        for first, second, day, period, currency, one, other in connection.execute(_RESTATED).fetchall()
        if not {first, second} & copies.keys()
    ]
