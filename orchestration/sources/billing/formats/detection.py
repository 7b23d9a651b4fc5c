"""Detect a file's format from its manifest and header, unless the settings name it."""

from __future__ import annotations

from orchestration.sources.billing.errors import BillingError, OtherDatasetError
from orchestration.sources.billing.formats import aws_cur, cur_2, cur_legacy, focus
from orchestration.sources.billing.formats.anthropic_costs import ANTHROPIC_COSTS
from orchestration.sources.billing.formats.azure_details import AZURE_DETAILS
from orchestration.sources.billing.formats.common_bill_format import COMMON_BILL_FORMAT
from orchestration.sources.billing.formats.files import DataFile
from orchestration.sources.billing.formats.google_billing import GOOGLE_BILLING
from orchestration.sources.billing.formats.mapped import MappedFormat
from orchestration.sources.billing.formats.openai_costs import OPENAI_COSTS
from orchestration.sources.billing.formats.oracle_cost import ORACLE_COST
from orchestration.sources.billing.formats.plain import PLAIN
from orchestration.sources.billing.formats.reading import Reading

MAPPED_FORMATS: dict[str, MappedFormat] = {
    "common_bill_format": COMMON_BILL_FORMAT,
    "azure_details": AZURE_DETAILS,
    "google_billing": GOOGLE_BILLING,
    "oracle_cost": ORACLE_COST,
    "openai_costs": OPENAI_COSTS,
    "anthropic_costs": ANTHROPIC_COSTS,
    "plain": PLAIN,
}
"""Formats that are recognised by their required columns; the first that has all of them."""


def detect(file: DataFile, legacy_manifest: bool) -> str | None:
    """The format of a header, or None if it is not a bill."""
    headers = {column.header.lower() for column in file.columns}
    if focus.by_name(file.columns).keys() & set(focus.REQUIRED) and "line_item_unblended_cost" not in headers:
        return "focus"
    named = cur_legacy.by_name(file.columns)
    if not named.keys() & set(aws_cur.REQUIRED):
        return next(
            (name for name, mapped in MAPPED_FORMATS.items() if not mapped.missing(file.columns)), None
        )
    if legacy_manifest or any("/" in header for header in headers):
        return "cur_legacy"
    return "cur_2" if headers & {"resource_tags", "product", "cost_category", "tags"} else "cur_legacy"


def read_as(
    file: DataFile, wanted: str, legacy_manifest: bool, period: str | None, currency: str | None
) -> Reading:
    """How a file is read.

    `wanted` is a format, or `auto`; `period` the manifest's billing month; `currency` the configured one.
    Raises `BillingError` when the header is not that of a bill or lacks what cannot be done without.
    """
    if dataset := focus.other_dataset(file.columns):
        raise OtherDatasetError(
            f"{file.shown}: is FOCUS' dataset {dataset}, which is not read: the bill is Cost and Usage"
        )
    chosen = wanted if wanted != "auto" else detect(file, legacy_manifest)
    if chosen is None:
        raise BillingError(_no_bill(file, period))
    if chosen == "focus":
        absent = focus.missing(focus.by_name(file.columns), period)
    elif mapped := MAPPED_FORMATS.get(chosen):
        absent = mapped.missing(file.columns)
    else:
        absent = aws_cur.missing(cur_legacy.by_name(file.columns), period)
    if absent:
        raise BillingError(f"{file.shown}: read as {chosen}, it lacks the columns {', '.join(absent)}")
    if chosen == "focus":
        return focus.reading(file.columns, period, currency)
    if mapped := MAPPED_FORMATS.get(chosen):
        return mapped.reading(file.columns, period, currency)
    if chosen == "cur_2":
        return cur_2.reading(file.columns, period, currency)
    return cur_legacy.reading(file.columns, period, currency)


def _no_bill(file: DataFile, period: str | None) -> str:
    """What the header lacks for each format, for whoever delivered the file."""
    as_focus = focus.missing(focus.by_name(file.columns), period)
    as_cur = aws_cur.missing(cur_legacy.by_name(file.columns), period)
    headers = ", ".join(column.header for column in file.columns[:8])
    if len(file.columns) > 8:
        headers += f" and {len(file.columns) - 8} more"
    hint = ""
    if len(file.columns) == 1 and any(mark in file.columns[0].header for mark in ";\t|"):
        hint = "; its columns are to be separated by commas"
    return (
        f"{file.shown}: its header is neither that of a FOCUS file (it lacks "
        f"{', '.join(_pascal_case(name) for name in as_focus)}) nor that of an AWS CUR (it lacks "
        f"{', '.join(as_cur)}) nor that of a plain file (date, service, amount, currency), nor one of "
        f"{', '.join(list(MAPPED_FORMATS)[:-1])}; its columns are {headers}{hint}. "
        "Take the file away, correct its header, or name it in the export's ignore "
        "(settings.yml)"
    )


def _pascal_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
