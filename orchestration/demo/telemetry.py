"""Usage of the sample company's customers, as the batches its product writes."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from orchestration.demo import company
from orchestration.demo.calendar import make_calendar, set_variables

CSV_DAY = date(2026, 10, 8)
PARQUET_DAY = date(2026, 10, 9)
MALFORMED_DAY = date(2026, 10, 6)
REPEATED_DAY = date(2026, 10, 12)
# One of the two ingest gateways was offline for two days and sent its counts afterwards.
LATE_DAYS = (date(2026, 10, 2), date(2026, 10, 3))
LATE_STREAM = "gib_ingested"

MALFORMED = (
    '{"stream": "search_queries", "timestamp": "2026-10-06T08:00:00Z", "customer_id": "cust-0',
    '{"stream": "search_queries", "timestamp": "2026-10-06T08:00:00Z", "customer_id": "cust-4", "value": -1}',
    '{"stream": "search_queries", "timestamp": "2026-10-06T08:00:00Z", "customer_id": "cust-4", "value": ""}',
    '{"stream": "search_queries", "timestamp": "2026-10-06T08:00:00Z", "value": 12}',
    '{"stream": "dashboard_views", "timestamp": "06.10.2026 8 Uhr", "customer_id": "cust-004", "value": 3}',
    '{"timestamp": "2026-10-06T09:00:00Z", "customer_id": "cust-004", "value": 3}',
    '{"stream": "gib_ingested", "timestamp": "2026-10-06T09:00:00Z", "customer_id": "cust-004"}',
    '["search_queries", "2026-10-06T09:00:00Z", "cust-004", 3]',
)

# A load test was counted as a customer's searches: three hours are replaced, one is deleted.
CORRECTIONS = (
    '{"operation": "replace", "stream": "search_queries", "timestamp": "2026-10-14T09:00:00Z", '
    '"customer_id": "cust-005", "value": 1480}',
    '{"operation": "replace", "stream": "search_queries", "timestamp": "2026-10-14T10:00:00Z", '
    '"customer_id": "cust-005", "value": 1615}',
    '{"operation": "replace", "stream": "search_queries", "timestamp": "2026-10-14T11:00:00Z", '
    '"customer_id": "cust-005", "value": 1702}',
    '{"operation": "delete", "stream": "search_queries", "timestamp": "2026-10-14T12:00:00Z", '
    '"customer_id": "cust-005"}',
)


def make_usage(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create the table `usage` in `connection`: one row per customer, stream and hour (or day) with usage."""
    make_calendar(connection, seed)
    incident = company.INCIDENT
    set_variables(
        connection,
        {
            "incident_customer": incident.customer_id,
            "incident_stream": incident.stream,
            "incident_usage_factor": incident.usage_factor,
        },
    )
    connection.execute(
        """create or replace table streams (
               stream varchar, unit varchar, granularity varchar, rate decimal(12, 4), adoption integer,
               decimals integer)"""
    )
    connection.executemany(
        "insert into streams values (?, ?, ?, ?, ?, ?)", [list(asdict(s).values()) for s in company.STREAMS]
    )
    connection.execute(
        """create or replace table customers (
               customer_id varchar, weight decimal(8, 2), hour_offset integer, first_day date,
               last_day date)"""
    )
    connection.executemany(
        "insert into customers values (?, ?, ?, ?, ?)",
        [[c.customer_id, c.weight, c.hour_offset, c.first_day, c.last_day] for c in company.customers(seed)],
    )
    connection.execute(Path(__file__).with_name("usage.sql").read_text(encoding="utf-8"))


def batches(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, bytes]]:
    """Batch files of the table `usage`: key and content, in arrival order."""
    late = f"(stream = '{LATE_STREAM}' and moment::date in (?, ?) and hash(customer_id) % 4 = 0)"
    lines = _lines_by_batch(connection, late)
    for key, text in lines:
        day = key.split("/", 1)[0]
        content = text
        if key.endswith("product-usage.jsonl.gz"):
            if day == CSV_DAY.isoformat():
                yield f"{day}/product-usage.csv.gz", _gzip(_csv(connection, CSV_DAY))
                continue
            if day == PARQUET_DAY.isoformat():
                yield f"{day}/product-usage.parquet", _parquet(connection, PARQUET_DAY)
                continue
            if day == MALFORMED_DAY.isoformat():
                content += "\n".join(MALFORMED) + "\n"
            if day == REPEATED_DAY.isoformat():
                # The producer got no answer and resent the same bytes under another name.
                yield f"retries/{day}-product-usage.jsonl.gz", _gzip(content)
        yield key, _gzip(content)
    yield "corrections/2026-10-16-search.jsonl.gz", _gzip("\n".join(CORRECTIONS) + "\n")
    for day, text in _gateway_days(connection):
        yield f"gateway/{day}.jsonl.gz", _gzip(text)


def _lines_by_batch(connection: duckdb.DuckDBPyConnection, late: str) -> list[tuple[str, str]]:
    return connection.execute(
        f"""
        with
            records as (
                select
                    *,
                    case
                        when {late} then 'late/2026-10-07-ingest-gateway-2.jsonl.gz'
                        when granularity = 'daily' then moment::date || '/exports.jsonl.gz'
                        else moment::date || '/product-usage.jsonl.gz'
                    end as key,
                    format(
                        '{{{{"stream": "{{}}", "timestamp": "{{}}", "customer_id": "{{}}", "value": {{}}}}}}',
                        stream, strftime(moment, '%Y-%m-%dT%H:%M:%SZ'), customer_id, value_text
                    ) as line
                from usage
            )
        select key, string_agg(line, chr(10) order by moment, stream, customer_id) || chr(10)
        from records
        group by key
        order by key
        """,
        list(LATE_DAYS),
    ).fetchall()


def _gateway_days(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Daily calls counted by the shared gateway, by customer and feature."""
    calls = [[feature, stream, each] for feature, (stream, each) in company.GATEWAY_CALLS.items()]
    connection.execute("create or replace table gateway_calls (feature varchar, stream varchar, each int)")
    connection.executemany("insert into gateway_calls values (?, ?, ?)", calls)
    return connection.execute(
        """
        with
            daily as (
                select moment::date as day, feature, customer_id, sum(value * each)::decimal(38, 0) as calls
                from usage
                join gateway_calls using (stream)
                group by all
            )
        select
            day::varchar,
            string_agg(
                format(
                    '{{"stream": "{}", "timestamp": "{}T00:00:00Z", "customer_id": "{}", "value": {}, '
                    '"filter": {{"feature": ["{}"]}}}}',
                    ?::varchar, day::varchar, customer_id, calls::varchar, feature
                ),
                chr(10)
                order by feature, customer_id
            ) || chr(10)
        from daily
        group by day
        order by day
        """,
        [company.GATEWAY_STREAM],
    ).fetchall()


def _day(connection: duckdb.DuckDBPyConnection, day: date, columns: str) -> duckdb.DuckDBPyRelation:
    return connection.sql(
        f"""select {columns} from usage where moment::date = ? and granularity = 'hourly'
            order by moment, stream, customer_id""",
        params=[day],
    )


def _csv(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    rows = _day(
        connection, day, "stream, strftime(moment, '%Y-%m-%dT%H:%M:%SZ'), customer_id, value_text"
    ).fetchall()
    header = ("stream", "timestamp", "customer_id", "value")
    return "".join(f"{','.join(row)}\n" for row in (header, *rows))


def _parquet(connection: duckdb.DuckDBPyConnection, day: date) -> bytes:
    table = _day(connection, day, 'stream, moment as "timestamp", customer_id, value').to_arrow_table()
    target = io.BytesIO()
    pq.write_table(table, target, compression="snappy")
    return target.getvalue()


def _gzip(text: str) -> bytes:
    # Without a timestamp in the gzip header, the same records always give the same bytes.
    return gzip.compress(text.encode(), mtime=0)
