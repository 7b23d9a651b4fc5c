"""What a second landing does: nothing, replace, remove, heal; and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import bills
import pytest
from bills import Store, billed, csv_bytes, gzip_bytes, land, legacy_row, query

from orchestration.settings import PROJECT_ROOT, BillingExport
from orchestration.sources.billing.formats.columns import LANDED, NOT_IN_FINGERPRINT
from orchestration.sources.billing.landing import BillingError, BillingLanding, ensure_landing, land_billing
from orchestration.sources.locations import Location, open_location


def deliver(store: Store, *rows: bills.Row, assembly: str = "a1") -> None:
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes(rows))}, assembly, root="x")


def statuses(result: BillingLanding) -> dict[str, str]:
    return {found.delivery.split("-csv")[0]: found.status for found in result.deliveries}


def files(landing: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in landing.rglob("*.parquet")}


def test_landing_twice_writes_nothing(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1"))
    store.put("bare.csv", csv_bytes([legacy_row("2", "2026-06-01", "2026-06")]))
    first = land(store, landing)
    before = files(landing)
    second = land(store, landing)
    assert files(landing) == before
    assert set(statuses(second).values()) == {"unchanged"}
    assert second.changed_days == ()
    assert [(r.row_count, r.billed_cost) for r in second.deliveries] == [
        (r.row_count, r.billed_cost) for r in first.deliveries
    ]


def test_a_restated_month_replaces_and_tells_the_days(store: Store, landing: Path) -> None:
    kept, changed = legacy_row("1", "2026-07-03"), legacy_row("2", "2026-07-04")
    deliver(store, kept, changed, legacy_row("9", "2026-07-05"))
    land(store, landing)
    added = legacy_row("3", "2026-07-06")
    # Other order, one amount restated, one day gone, one new.
    deliver(store, added, changed | {"lineItem/UnblendedCost": "2.5"}, kept, assembly="a2")
    result = land(store, landing)
    assert [day.isoformat() for day in result.changed_days] == ["2026-07-04", "2026-07-05", "2026-07-06"]
    assert billed(landing) == Decimal("6.5")
    assert query(landing, "select sum(source_billed_cost) from days") == [(Decimal("6.5"),)]


def test_a_late_credit_changes_its_day_of_the_closed_month_alone(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1", "2026-07-03"), legacy_row("2", "2026-07-31"))
    bills.put_legacy(
        store,
        {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("5", "2026-08-01", "2026-08")]))},
        month="2026-08",
        root="x",
    )
    land(store, landing)
    credit = legacy_row("-0.75", "2026-07-31") | {"lineItem/LineItemType": "Credit"}
    deliver(store, legacy_row("1", "2026-07-03"), legacy_row("2", "2026-07-31"), credit, assembly="a2")
    result = land(store, landing)
    assert statuses(result) == {"x.2026-07": "landed", "x.2026-08": "unchanged"}
    assert [day.isoformat() for day in result.changed_days] == ["2026-07-31"]
    assert billed(landing) == Decimal("7.25")


def test_final_invoice_ids_and_new_line_item_ids_change_no_day(store: Store, landing: Path) -> None:
    rows = [legacy_row("1", "2026-07-03"), legacy_row("2", "2026-07-04")]
    deliver(store, *[row | {"bill/InvoiceId": ""} for row in rows])
    land(store, landing)
    final = [row | {"bill/InvoiceId": "1234567", "identity/LineItemId": "other"} for row in rows]
    deliver(store, *final, assembly="a2")
    result = land(store, landing)
    assert statuses(result) == {"x.2026-07": "landed"}
    assert result.changed_days == ()
    assert query(landing, "select distinct bill_invoice_id from charges") == [("1234567",)]
    final[1] |= {"lineItem/UnblendedCost": "2.01"}
    deliver(store, *final, assembly="a3")
    assert [day.isoformat() for day in land(store, landing).changed_days] == ["2026-07-04"]


def test_no_model_reads_what_changes_no_day() -> None:
    models = PROJECT_ROOT / "dbt_project"
    read = " ".join(path.read_text(encoding="utf-8") for path in models.rglob("*.sql"))
    # What the landing makes of other columns changes with them.
    assert not {name for name in NOT_IN_FINGERPRINT if name in read} - LANDED.keys()


class ChangesWhileRead:
    """A location whose report is delivered again as soon as its first data file has been read."""

    def __init__(self, real: Location, deliver_again: Callable[[], None]) -> None:
        self.real = real
        self.deliver_again = deliver_again
        self.bucket, self.prefix = real.bucket, real.prefix
        self.list, self.read, self.describe = real.list, real.read, real.describe
        self.was_read = False

    def fetch(self, key: str, folder: Path) -> Path:
        path = self.real.fetch(key, folder)
        if not self.was_read:
            self.was_read = True
            self.deliver_again()
        return path


def test_a_report_overwritten_while_it_is_read_is_not_landed_as_a_mixture(
    store: Store, landing: Path
) -> None:
    def deliver_over(cost: str) -> None:
        files = {f"x-{n}.csv.gz": gzip_bytes(csv_bytes([legacy_row(cost)])) for n in (1, 2)}
        bills.put_export(store, files, f"e-{cost}")

    deliver_over("1")
    land(store, landing)
    deliver_over("2")
    exports = [BillingExport(name="test", location=store.location)]
    place = open_location(store.location, store.client)
    changing = ChangesWhileRead(place, lambda: deliver_over("3"))
    with pytest.raises(
        BillingError, match=r"x-1\.csv\.gz: was delivered again while it was read .*and 1 more"
    ):
        land_billing(exports, lambda _: changing, landing)
    assert billed(landing) == Decimal(2)
    assert billed_after(store, landing) == Decimal(6)


def test_a_report_delivered_beside_while_it_is_read_lands_as_it_was_found(
    store: Store, landing: Path
) -> None:
    """Deliveries in folders of their own leave the older one as it is: the next run takes the newer one."""
    deliver(store, legacy_row("1"))
    exports = [BillingExport(name="test", location=store.location)]
    place = open_location(store.location, store.client)
    changing = ChangesWhileRead(place, lambda: deliver(store, legacy_row("2"), assembly="a2"))
    land_billing(exports, lambda _: changing, landing)
    assert billed(landing) == Decimal(1)
    assert billed_after(store, landing) == Decimal(2)


def billed_after(store: Store, landing: Path) -> Decimal | None:
    land(store, landing)
    return billed(landing)


def test_a_repeated_row_changes_the_day(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1"))
    land(store, landing)
    deliver(store, legacy_row("1"), legacy_row("1"), assembly="a2")
    assert [day.isoformat() for day in land(store, landing).changed_days] == ["2026-07-03"]
    assert billed(landing) == Decimal(2)


def test_a_bare_file_replaces_itself_and_leaves_with_its_file(store: Store, landing: Path) -> None:
    store.put("one.csv", csv_bytes([legacy_row("1", "2026-06-01", "2026-06")]))
    store.put("two.csv", csv_bytes([legacy_row("2", "2026-07-01")]))
    land(store, landing)
    store.put("one.csv", csv_bytes([legacy_row("1.5", "2026-06-01", "2026-06")]))
    assert statuses(land(store, landing)) == {"file.one": "landed", "file.two": "unchanged"}
    assert billed(landing) == Decimal("3.5")
    store.remove("two.csv")
    result = land(store, landing)
    assert statuses(result) == {"file.one": "unchanged", "file.two": "removed"}
    assert [day.isoformat() for day in result.changed_days] == ["2026-07-01"]
    assert billed(landing) == Decimal("1.5")


def test_a_report_that_expired_stays(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1"))
    store.put("bare.csv", csv_bytes([legacy_row("2", "2026-06-01", "2026-06")]))
    land(store, landing)
    for key in ("a1/x-1.csv.gz", "a1/x-Manifest.json", "x-Manifest.json"):
        store.remove(f"x/20260701-20260801/{key}")
    assert statuses(land(store, landing)) == {"file.bare": "unchanged"}
    assert billed(landing) == Decimal(3)


def test_an_emptied_location_is_an_error_and_removes_nothing(store: Store, landing: Path) -> None:
    store.put("bare.csv", csv_bytes([legacy_row("2")]))
    land(store, landing)
    store.remove("bare.csv")
    with pytest.raises(BillingError, match=r"nothing found at .* Nothing was removed"):
        land(store, landing)
    assert billed(landing) == Decimal(2)


def test_a_row_without_a_day_among_others_is_named(store: Store, landing: Path) -> None:
    times = ("UsageStartDate", "UsageEndDate")
    without = {"bill/BillingPeriodStartDate": "", **{f"lineItem/{name}": "" for name in times}}
    row = legacy_row("2", **without) | {"identity/TimeInterval": ""}
    store.put("bare.csv", csv_bytes([legacy_row("1"), row, legacy_row("3")]))
    with pytest.raises(BillingError, match=r"bare\.csv: data row 2 has no billing month"):
        land(store, landing)


def test_charges_without_days_land_again(store: Store, landing: Path) -> None:
    """What a kill between the two files leaves: new charges, and old or no days."""
    deliver(store, legacy_row("1"))
    land(store, landing)
    days = next((landing / "billing" / "days" / "source_name=test").rglob("days.parquet"))
    old_days = days.read_bytes()
    deliver(store, legacy_row("2"), assembly="a2")
    land(store, landing)
    expected = query(landing, "from days order by all"), query(landing, "from charges order by all")
    for left in (old_days, None):
        days.write_bytes(left) if left else days.unlink()
        assert statuses(land(store, landing)) == {"x.2026-07": "landed"}
        assert (
            query(landing, "from days order by all"),
            query(landing, "from charges order by all"),
        ) == expected


def test_charges_of_a_killed_run_leave_when_their_file_has_left(store: Store, landing: Path) -> None:
    store.put("one.csv", csv_bytes([legacy_row("1")]))
    store.put("two.csv", csv_bytes([legacy_row("2")]))
    land(store, landing)
    for path in (landing / "billing" / "days").glob("*/delivery=file.two*/days.parquet"):
        path.unlink()
    store.remove("two.csv")
    land(store, landing)
    assert billed(landing) == Decimal(1)


def test_what_killed_runs_left_is_cleared(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1"))
    (landing / "billing" / ".work-abc").mkdir(parents=True)
    (landing / "billing" / ".work-abc" / "half").write_bytes(b"x")
    land(store, landing)
    assert not list((landing / "billing").glob(".work-*"))
    assert not list(landing.rglob(".*.writing"))


def test_a_file_that_becomes_focus_leaves_no_cur_behind(store: Store, landing: Path) -> None:
    store.put("bill.csv", csv_bytes([legacy_row("1")]))
    land(store, landing)
    focus = {
        "BilledCost": "4",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-07-01 00:00:00",
        "ChargePeriodStart": "2026-07-03 05:00:00",
    }
    store.put("bill.csv", csv_bytes([focus]))
    result = land(store, landing)
    assert [(r.status, r.family) for r in result.deliveries] == [("landed", "focus")]
    assert billed(landing) is None
    assert query(landing, "select billed_cost, usage_date::varchar from charges", "focus") == [
        (Decimal(4), "2026-07-03")
    ]


def test_an_export_that_settings_rename_is_taken_over(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1"))
    land(store, landing)
    exports = [BillingExport(name="renamed", location=store.location)]
    result = land_billing(exports, lambda place: open_location(place, store.client), landing)
    assert (result.notes, result.overlaps) == ((), ())
    assert query(landing, "select distinct source_name from days") == [("renamed",)]
    assert billed(landing) == Decimal(1)


def test_an_export_that_settings_forgot_is_named(store: Store, landing: Path) -> None:
    deliver(store, legacy_row("1"))
    land(store, landing)
    store.put("elsewhere/other.csv", csv_bytes([legacy_row("1", "2026-07-04")]))
    exports = [BillingExport(name="other", location=f"{store.location}/elsewhere")]
    result = land_billing(exports, lambda place: open_location(place, store.client), landing)
    assert "charges of the export test still count" in result.notes[0]
    assert billed(landing) == Decimal(2)


def test_a_changed_setting_lands_again(store: Store, landing: Path) -> None:
    row = legacy_row("1")
    del row["lineItem/CurrencyCode"]
    deliver(store, row)
    with pytest.raises(
        BillingError, match="data row 1 has no currency; set billing_currency of the export test"
    ):
        land(store, landing)
    land(store, landing, billing_currency="EUR")
    assert query(landing, "select billing_currency from days") == [("EUR",)]
    assert statuses(land(store, landing, billing_currency="USD")) == {"x.2026-07": "landed"}


def test_readers_find_every_column_before_any_bill(landing: Path) -> None:
    ensure_landing(landing)
    before = files(landing)
    assert query(landing, "select resource_tags['x'], line_item_unblended_cost from charges") == []
    assert query(landing, "select tags['x'], billed_cost from charges", "focus") == []
    assert query(landing, "select fingerprint, source_name, delivery from days") == []
    ensure_landing(landing)
    assert files(landing) == before
