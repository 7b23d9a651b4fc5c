"""Whatever batches arrive, in whatever form, order and number, what is landed is what plain Python says.

The oracle below knows nothing of the project: it judges records with `decimal`, `datetime` and `json`, and
keeps its own account of which content is where.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.sources.locations import FolderLocation
from orchestration.sources.telemetry.batches import land_telemetry
from tests.examples import examples

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
FIELDS = ("stream", "timestamp", "granularity", "customer_id", "value", "operation", "filter", "record_id")


# --- the oracle: one record -------------------------------------------------------------------------------


def judge(said: dict[str, str | None], moments: dict[str, datetime]) -> tuple[str | None, tuple | None]:
    """(reason, None) or (None, the landed record) of the fields of one record, each text or None."""
    told = {field: said.get(field) for field in FIELDS}
    told = {field: (text or "").strip(" \t\n\v\f\r\xa0") or None for field, text in told.items()}
    stream, customer, value = told["stream"], told["customer_id"], told["value"]
    operation = told["operation"] or "sum"
    if stream is None:
        return "stream-missing", None
    if not re.fullmatch(r"[a-z][a-z0-9_]*", stream):
        return "stream-name", None
    if operation not in ("sum", "replace", "delete"):
        return "operation-unknown", None
    if told["timestamp"] is None:
        return "timestamp-missing", None
    moment = moments.get(told["timestamp"])
    if moment is None:
        return "timestamp-format", None
    if moment < datetime(2000, 1, 1, tzinfo=UTC):
        return "timestamp-too-early", None
    if moment > NOW + timedelta(days=1):
        return "timestamp-in-future", None
    if told["granularity"] not in (None, "hourly", "daily"):
        return "granularity-unknown", None
    if customer is None:
        return "customer-id-missing", None
    if customer[0] in "{[":
        return "customer-id-not-text", None
    if customer.lower() == "unallocated":
        return "customer-id-reserved", None
    number = None
    if value is None and operation != "delete":
        return "value-missing", None
    if value is not None:
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", value):
            return "value-not-a-number", None
        number = Decimal(value)
        if number < 0 or (number == 0 and operation == "sum"):
            return "value-not-positive", None
        with localcontext(prec=20_000):
            rounded = number.scaleb(9).to_integral_value(ROUND_HALF_UP).scaleb(-9)
            if rounded != number:
                # The digits of a floating-point number as programs print it.
                if not rounded or len(number.normalize().as_tuple().digits) not in (16, 17):
                    return "value-too-precise", None
                number = rounded
        if number >= Decimal(10) ** 27:
            return "value-too-large", None
    reason, dimensions = judge_filter(told["filter"])
    if reason:
        return reason, None
    landed = (stream, operation, moment.replace(tzinfo=None), told["granularity"], customer, number)
    return None, (*landed, dimensions, told["record_id"])


def judge_filter(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    try:
        members = json.loads(text)
    except ValueError:
        return "filter-not-an-object", None
    if not isinstance(members, dict):
        return "filter-not-an-object", None
    if not all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in members):
        return "filter-dimension", None
    lists = {name: [given] if isinstance(given, str) else given for name, given in members.items()}
    for elements in lists.values():
        if not isinstance(elements, list) or not elements:
            return "filter-elements", None
        if not all(isinstance(element, str) and element for element in elements):
            return "filter-elements", None
    canonical = {name: sorted(set(elements)) for name, elements in lists.items()}
    return None, json.dumps(
        canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ) if lists else None


# --- what is generated: records, files, deliveries --------------------------------------------------------


@st.composite
def stamps(draw: st.DrawFn) -> tuple[str, datetime | None]:
    """A text for a time, and the moment that it means."""
    if draw(st.integers(0, 7)) == 0:
        bad = [
            "2026-02-30",
            "yesterday",
            "2026-07-01T24:00:00Z",
            "1753000000",
            "2026-07-01T10",
            "20260701T100000Z",
        ]
        return draw(st.sampled_from(bad)), None
    day = (
        draw(st.sampled_from([date(1999, 12, 31), date(2000, 1, 1), date(2026, 8, 6), date(2026, 8, 7)]))
        if draw(st.integers(0, 9)) == 0
        else date(2026, 7, 1) + timedelta(days=draw(st.integers(0, 3)))
    )
    if draw(st.integers(0, 4)) == 0:
        return day.isoformat(), datetime.combine(day, time(), UTC)
    clock = time(draw(st.integers(0, 23)), draw(st.integers(0, 59)))
    text = f"{day}{draw(st.sampled_from('T '))}{clock:%H:%M}"
    if draw(st.booleans()):
        clock = clock.replace(second=draw(st.integers(0, 59)))
        text += f":{clock:%S}"
        if digits := draw(st.text("0123456789", max_size=9)):
            clock = clock.replace(microsecond=int(digits[:6].ljust(6, "0")))
            text += f".{digits}"
    minutes = draw(st.sampled_from([None, 0, 0, -30, 120, 345, -720, 840]))
    zone = UTC if minutes is None else timezone(timedelta(minutes=minutes))
    if minutes is not None:
        sign, hours = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        forms = [f"{sign}{hours[0]:02d}:{hours[1]:02d}", f"{sign}{hours[0]:02d}{hours[1]:02d}"]
        text += draw(st.sampled_from([*forms, "Z"] if minutes == 0 else forms))
    return text, datetime.combine(day, clock, zone).astimezone(UTC)


def rarely(common: st.SearchStrategy, odd: st.SearchStrategy) -> st.SearchStrategy:
    return st.integers(0, 9).flatmap(lambda roll: odd if roll == 0 else common)


PLAIN_TEXT = st.text(st.sampled_from("abcXYZ019 ,;'\"\\{}[]:|äß漢\t\ufffd"), max_size=8)
DIGITS = st.text("0123456789", max_size=30)
WRITTEN = st.builds(
    lambda sign, whole, point, fraction, exponent: f"{sign}{whole}{point}{fraction}{exponent}",
    rarely(st.just(""), st.sampled_from("+-")),
    rarely(st.integers(0, 10**6).map(str), DIGITS),
    st.sampled_from([".", ""]),
    rarely(st.text("0123456789", max_size=3), st.text("0123456789", max_size=12)),
    rarely(st.just(""), st.integers(-12, 30).map(lambda power: f"e{power}")),
)
# As programs print sums of floating-point numbers.
PRINTED = st.floats(1e-12, 1e9, allow_nan=False).map(repr)
NUMBERS = rarely(WRITTEN, PRINTED)
FILTERS = st.dictionaries(
    rarely(st.sampled_from(["feature", "region", "value"]), PLAIN_TEXT),
    rarely(
        st.one_of(PLAIN_TEXT, st.lists(PLAIN_TEXT, max_size=3)),
        st.one_of(st.none(), st.lists(st.one_of(PLAIN_TEXT, st.integers(0, 9), st.none()), max_size=2)),
    ),
    max_size=2,
).map(lambda members: json.dumps(members, ensure_ascii=False))


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, datetime]]:
    """The fields that a record gives, as text, and the moment of its timestamp."""
    text, moment = draw(stamps())
    fields = {
        "stream": draw(rarely(st.sampled_from(["searches", "gib_hours2"]), PLAIN_TEXT)),
        "timestamp": text,
        "customer_id": draw(
            rarely(st.sampled_from(["c1", "007"]), st.one_of(st.just("Unallocated"), PLAIN_TEXT))
        ),
        "value": draw(rarely(NUMBERS, PLAIN_TEXT)),
        "granularity": draw(rarely(st.sampled_from(["hourly", "daily"]), PLAIN_TEXT)),
        "operation": draw(rarely(st.sampled_from(["sum", "replace", "delete"]), PLAIN_TEXT)),
        "filter": draw(rarely(FILTERS, PLAIN_TEXT)),
        "record_id": draw(PLAIN_TEXT),
    }
    left_out = draw(st.sets(st.sampled_from(["granularity", "operation", "filter", "record_id"])))
    left_out |= draw(rarely(st.just(set()), st.sets(st.sampled_from(FIELDS), max_size=1)))
    kept = {field: text for field, text in fields.items() if field not in left_out}
    return kept, {text: moment} if moment else {}


@dataclass(frozen=True)
class File:
    """A batch: its name's ending, its bytes, and what the oracle makes of each row."""

    ending: str
    content: bytes
    good: tuple[tuple, ...]  # (row, *record)
    bad: tuple[tuple, ...]  # (row, reason, raw text or None)

    @property
    def identity(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BAD_LINES = {
    "{": "not-json",
    "no json": "not-json",
    "[1]": "not-an-object",
    '"x"': "not-an-object",
    " 4": "not-an-object",
}


@st.composite
def files(draw: st.DrawFn) -> File:
    """A batch file of any format."""
    rows = draw(st.lists(records(), max_size=6))
    ending = draw(st.sampled_from([".jsonl", ".ndjson", ".csv", ".parquet"]))
    write = {".csv": csv_file, ".parquet": parquet_file}.get(ending, jsonl_file)
    content, good, bad = write(draw, rows)
    if draw(st.booleans()):
        ending, content = ending + ".gz", gzip.compress(content, mtime=0)
    return File(ending, content, tuple(good), tuple(bad))


def sort_out(row: int, fields: dict, moments: dict, raw: str | None, good: list, bad: list) -> None:
    reason, record = judge(fields, moments)
    if reason:
        bad.append((row, reason, raw))
    else:
        good.append((row, *record))


def jsonl_file(draw: st.DrawFn, rows: list) -> tuple[bytes, list, list]:
    lines, good, bad = [], [], []
    end = draw(st.sampled_from(["\n", "\r\n"]))
    for fields, moments in rows:
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(st.sampled_from(["", "   ", *BAD_LINES])))
            if lines[-1].strip():
                bad.append((len(lines), BAD_LINES[lines[-1]], lines[-1]))
        shown = [
            f'"{field}": '
            + (
                text
                if (field == "value" and JSON_NUMBER.fullmatch(text) and draw(st.booleans()))
                or (
                    field == "filter"
                    and judge_filter(text)[0] != "filter-not-an-object"
                    and draw(st.booleans())
                )
                else json.dumps(text, ensure_ascii=draw(st.booleans()))
            )
            for field, text in fields.items()
        ]
        lines.append("{" + ", ".join(draw(st.permutations(shown))) + "}")
        if "\ufffd" in lines[-1]:
            bad.append((len(lines), "not-utf-8", lines[-1]))
        else:
            sort_out(len(lines), fields, moments, lines[-1], good, bad)
    content = "".join(line + end for line in lines)
    mark = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return mark + content.removesuffix(draw(st.sampled_from(["", end]))).encode(), good, bad


def csv_file(draw: st.DrawFn, rows: list) -> tuple[bytes, list, list]:
    header = draw(st.permutations([*FIELDS, "comment"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines, good, bad = [",".join(header)], [], []
    for fields, moments in rows:
        cells = [fields.get(name, "") for name in header]
        spoiled = draw(st.integers(0, 9))
        if spoiled == 0:
            cells.append("one more")
        text = io.StringIO()
        csv.writer(
            text, lineterminator="", quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
        ).writerow(cells)
        line = text.getvalue() + (',"open' if spoiled == 1 else "")
        row = len(lines)
        lines.append(line)
        if "\ufffd" in line:
            bad.append((row, "not-utf-8", line))
        elif spoiled < 2:
            bad.append((row, ["column-count", "csv-quotes"][spoiled], line))
        else:
            sort_out(row, fields, moments, line, good, bad)
    return end.join(lines).encode(), good, bad


def parquet_file(draw: st.DrawFn, rows: list) -> tuple[bytes, list, list]:
    columns = draw(st.permutations(FIELDS))
    table = pa.table(
        {name: pa.array([fields.get(name) for fields, _ in rows], pa.string()) for name in columns}
    )
    good, bad = [], []
    for row, (fields, moments) in enumerate(rows, 1):
        sort_out(row, fields, moments, None, good, bad)
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue(), good, bad


# --- the property -----------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[list[tuple[str, int]]]:
    """Loads, each after some deliveries of (place, number of a batch); a place is overwritten at times."""
    delivery = st.tuples(st.sampled_from(["a", "b", "sub/c", "d", "e"]), st.integers(0, 4))
    return draw(st.lists(st.lists(delivery, max_size=5), min_size=1, max_size=4))


def landed(landing: Path) -> tuple[list[tuple], list[tuple]]:
    """Records by batch and row, and quarantined rows, read with nothing but DuckDB."""
    with duckdb.connect() as connection:
        records = connection.execute(
            f"""
            SELECT
                batch_id, batch_row, stream, operation, usage_timestamp, granularity, customer_id, value,
                filter, record_id
            FROM read_parquet('{landing}/telemetry/records/*/*.parquet', hive_partitioning = true)
            ORDER BY batch_id, batch_row
            """
        ).fetchall()
        quarantine = connection.execute(
            "SELECT batch_id, batch_row, reason, record "
            f"FROM read_parquet('{landing}/telemetry/quarantine/*.parquet')"
        ).fetchall()
    return records, quarantine


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(files(), min_size=5, max_size=5), histories())
def test_landed_is_what_plain_python_says(batches: list[File], history: list[list[tuple[str, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, landing = Path(folder, "source"), Path(folder, "landing")
        source.mkdir()
        held: dict[str, File] = {}  # place -> what was last seen there
        order: list[File] = []  # contents that count, in order of arrival
        for turn, deliveries in enumerate(history):
            arriving: dict[str, tuple[int, File]] = {}
            for moment, (name, number) in enumerate(deliveries, 1 + turn * 100):
                file = batches[number]
                place = source / (name + file.ending)
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(file.content)
                os.utime(place, (1_785_000_000 + moment // 2, 1_785_000_000 + moment // 2))
                arriving[name + file.ending] = (moment // 2, file)
            land_telemetry(FolderLocation(source), landing, NOW)

            held.update({place: file for place, (_, file) in arriving.items()})
            counted = {file.identity for file in held.values()}
            order = [file for file in order if file.identity in counted]
            for _, _, file in sorted((moment, place, file) for place, (moment, file) in arriving.items()):
                if file.identity not in {known.identity for known in order}:
                    order.append(file)

            records, quarantine = landed(landing)
            in_order = sorted(order, key=lambda file: file.identity)
            assert records == [(file.identity, *record) for file in in_order for record in file.good]
            expected = {(file.identity, row, reason): raw for file in order for row, reason, raw in file.bad}
            assert sorted(row[:3] for row in quarantine) == sorted(expected)
            assert all(expected[tuple(key)] in (None, raw) for *key, raw in quarantine)
            again = land_telemetry(FolderLocation(source), landing, NOW)
            assert again.load_id is None
            assert landed(landing) == (records, quarantine)
