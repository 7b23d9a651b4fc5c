"""Check files numbered like chunks of one report: whether they are chunks, or copies of one another."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.sources.billing.charge_keys import KEYS, charge_keys
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import Family
from orchestration.sources.billing.formats.files import DataFile

# Of the day that is most of the bill, as far as two files share one: what each of the pair bills on it, what
# both do, and whether they are the same throughout. Numbers of a report's chunks share hardly a charge.
_PAIRS = """
with
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


def copied_files(
    connection: duckdb.DuckDBPyConnection, charges: Path, family: Family, files: list[DataFile]
) -> dict[str, str]:
    """Keys of files with the content of another one → that file's key.

    Raises `BillingError` for files that share only some charges: they are not chunks of one report.
    """
    connection.execute(
        "create or replace temp table charges as select landed_file, usage_date, billed, "
        f"hash({', '.join(KEYS)}) as key from {charge_keys(family, charges)}"
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
