"""The time a charge covers and its billing month, from what a file's rows say.

SQL over the four timestamps of a row, and how a provider writes the end of a period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from orchestration.warehouse.sql import literal

# How a provider writes ends: exclusive (FOCUS), or the last day or hour covered.
EndHabit = Literal["after", "last_day", "last_hour"]

_DAY = 86400
LONGEST_DAY = 25 * 3600  # when clocks go back
_HOUR_US = 3_600_000_000
# Years in which a charge can begin and end.
_FIRST_YEAR, _LAST_YEAR = 1990, 2099
_WRITTEN = ("t_start", "t_end", "t_period_start", "t_stated_period_end")
# Months in a provider's local time start up to this much earlier in UTC.
_FARTHEST_EAST = "interval 14 hours"

# Evidence of a provider's convention in each row, counted per provider by `source_totals`.
VOTES = ("ends_after", "ends_on_last_day", "ends_in_last_hour", "period_ends_on_last_day")


# Charges whose file does not say what time they are for, with what becomes of their cost.
UNKNOWN_TIMES = {
    "t_start is null": "have no start: their cost is spread over the billing period",
    "t_start is not null and t_end is null": "have no end: their cost is of the day on which they start",
    "t_end < t_start": "end before they start: their cost is of the day on which they start",
}

USAGE_DATE = "cast(t_from as date)"
LAST_USAGE_DATE = (
    f"case when cast(t_until - interval 1 microsecond as date) > {USAGE_DATE} "
    "then cast(t_until - interval 1 microsecond as date) end"
)


@dataclass(frozen=True)
class UsageDays:
    """First and last day with usage in a delivery's billing month; None without usage."""

    first: date
    last: date | None


@dataclass(frozen=True)
class Times:
    """SQL of a row's timestamps and provider, and whether it is usage.

    `month` is the billing month (YYYY-MM) of a manifest, for rows that give none.
    """

    provider: str
    is_usage: str
    start: str
    end: str
    period_start: str
    period_end: str
    month: str | None = None

    @classmethod
    def of_focus(cls, values: Mapping[str, str], is_usage: str, month: str | None) -> Times:
        """Times of FOCUS columns, each with its SQL."""
        return cls(
            provider=values["provider_name"],
            is_usage=is_usage,
            start=values["charge_period_start"],
            end=values["charge_period_end"],
            period_start=values["billing_period_start"],
            period_end=values["billing_period_end"],
            month=month,
        )

    def named(self, relation: str) -> str:
        """A subquery of the relation's rows with their times as `t_…` columns, whatever the end habit.

        `t_from` is when the charge begins (without a start: with its billing period), `t_period_end` and
        `t_month` are the billing period's end and the first day of its month, `t_is_late` says that it
        begins after that end, `t_is_fee_of_a_day` that it is not usage and lasts at most a day.
        """
        period_start = self.period_start
        if self.month:
            period_start = f"coalesce({period_start}, timestamp '{self.month}-01')"
        written = (
            f"(select * replace ({', '.join(f'{_credible(name)} as {name}' for name in _WRITTEN)}) from "
            f"(select *, {self.provider} as t_provider, {self.is_usage} as t_is_usage, "
            f"{self.start} as t_start, {self.end} as t_end, {period_start} as t_period_start, "
            f"{self.period_end} as t_stated_period_end from {relation}))"
        )
        raw = (
            f"(select *, {_round_up('t_end')} as t_written_end, "
            f"{_round_up('t_stated_period_end')} as t_written_period_end from {written})"
        )
        checked = (
            "(select * replace (case when t_written_end >= t_start then t_written_end end as t_written_end, "
            "case when t_written_period_end > t_period_start then t_written_period_end end "
            "as t_written_period_end), "
            # A month in local time: shifted by this many seconds, it starts at midnight UTC.
            f"to_seconds(({_DAY} - {_time_of_day('t_period_start')}) % {_DAY}) as t_shift from {raw})"
        )
        ended = (
            "(select *, case when t_written_period_end is null "
            "then t_period_start + t_shift + interval 1 month - t_shift "
            f"when {_ends_on_last_day('t_period_start', 't_written_period_end')} "
            "then t_written_period_end + interval 1 day else t_written_period_end end as t_period_end, "
            f"{_seconds('t_start', 't_written_end')} as t_length, "
            f"{_time_of_day('t_start')} in (0, {_time_of_day('t_period_start')}) as t_starts_with_a_day "
            f"from {checked})"
        )
        month = (
            "cast(date_trunc('month', case when t_written_period_end is null "
            f"then t_period_start + {_FARTHEST_EAST} "
            "else make_timestamp((epoch_us(t_period_start) + epoch_us(t_period_end)) // 2) end) as date)"
        )
        return (
            f"(select *, {month} as t_month, coalesce(t_start, t_period_start) as t_from, "
            "coalesce(t_start >= t_period_end, false) as t_is_late, "
            f"not t_is_usage and t_start is not null and coalesce(t_length <= {LONGEST_DAY}, true) "
            "as t_is_fee_of_a_day "
            f"from {ended})"
        )

    def votes(self) -> str:
        """Counts over rows of `named`: how their ends are written (`VOTES`)."""
        whole_days = f"t_length > 0 and t_length % {_DAY} = 0"
        last_day = _ends_on_last_day("t_start", "t_written_end")
        counted = {
            "ends_after": f"t_length in (3600, {_DAY}) or t_length % 3600 <> 0 or t_end < t_written_end and "
            f"t_length > 0 or {whole_days} and day(t_written_end + t_shift) = day(t_start + t_shift)",
            "ends_on_last_day": f"t_length = 0 and t_starts_with_a_day or {whole_days} and {last_day}",
            "ends_in_last_hour": "t_length = 0 and not t_starts_with_a_day and "
            f"{_time_of_day('t_start')} % 3600 = 0",
            "period_ends_on_last_day": _ends_on_last_day("t_period_start", "t_written_period_end"),
        }
        return ", ".join(f"count(*) filter ({counted[name]}) as {name}" for name in VOTES)

    def covered(
        self, relation: str, habits: Mapping[str | None, EndHabit], usage_days: Mapping[str, UsageDays]
    ) -> str:
        """A subquery of the relation's rows with the time that each charge is for.

        `t_from` and `t_until` (exclusive; null when the file does not say) never leave the billing period at
        its end: what is booked ahead is moved to the period's first day with usage (`usage_days`, by month).
        """
        first = _case_of_month({month: f"date '{days.first}'" for month, days in usage_days.items()})
        last = _case_of_month(
            {month: f"date '{days.last}'" for month, days in usage_days.items() if days.last}
        )
        habit = _case("t_provider", {name: literal(kind) for name, kind in habits.items()}, "'after'")
        return (
            "(select * replace (case when t_is_ahead then cast(t_first_day as timestamp) else t_from end "
            "as t_from), case when t_is_ahead then t_first_day + interval 1 day when t_start is null then "
            "t_period_end when t_after > t_period_end then t_period_end else t_after end as t_until "
            f"from (select *, coalesce({first}, cast(t_period_start as date)) as t_first_day, "
            f"t_is_late or t_is_fee_of_a_day and coalesce({USAGE_DATE} > {last}, false) as t_is_ahead, "
            f"case when {habit} = 'last_hour' then t_written_end + interval 1 hour "
            f"when {habit} = 'last_day' and t_length % {_DAY} = 0 "
            "or t_length = 0 and t_starts_with_a_day then t_written_end + interval 1 day "
            f"when t_length = 0 and {_time_of_day('t_start')} % 3600 = 0 "
            "then t_written_end + interval 1 hour "
            f"else t_written_end end as t_after from {self.named(relation)}))"
        )


def end_habit(after: int, last_day: int, last_hour: int, period_last_day: int) -> EndHabit:
    """How a provider writes ends, from its rows' `VOTES`; exclusive (FOCUS) unless most say otherwise."""
    if last_hour > last_day and last_hour + last_day > after:
        return "last_hour"
    if last_day > after or (last_day == after and period_last_day):
        return "last_day"
    return "after"


def _round_up(moment: str) -> str:
    """The full hour at or after a moment: no charge is for an hour less its last second or minute."""
    in_hour = f"epoch_us({moment}) % {_HOUR_US}"
    return (
        f"case when {in_hour} >= {_HOUR_US} - 1000000 or {in_hour} = {_HOUR_US} - 60000000 "
        f"then date_trunc('hour', {moment} + interval 1 hour) else {moment} end"
    )


def _credible(moment: str) -> str:
    """The moment, or an error: of another millennium, a charge would be of a million days."""
    reason = (
        f"landed_file || ': data row ' || landed_row || ' has the time ' || {moment} || ', which is not "
        f"within {_FIRST_YEAR} to {_LAST_YEAR}; correct the file or deliver it again'"
    )
    bounds = f"timestamp '{_FIRST_YEAR}-01-01' and timestamp '{_LAST_YEAR}-12-31'"
    return f"case when {moment} is null or {moment} between {bounds} then {moment} else error({reason}) end"


def _ends_on_last_day(start: str, end: str) -> str:
    """Whether a period of whole days spans whole months if its end day is included."""
    return (
        f"coalesce({_seconds(start, end)} % {_DAY} = 0 and {end} > {start} "
        f"and day({end} + t_shift + interval 1 day) = day({start} + t_shift), false)"
    )


def _time_of_day(moment: str) -> str:
    """Seconds since midnight, in UTC."""
    return f"(epoch_us({moment}) // 1000000 % {_DAY})"


def _seconds(start: str, end: str) -> str:
    return f"((epoch_us({end}) - epoch_us({start})) // 1000000)"


def billing_period(months: Iterable[str]) -> str:
    """The month of a row of `covered` as text (YYYY-MM); looked up, as writing it out per row is slow."""
    return _case_of_month({month: literal(month) for month in months})


def _case_of_month(values: Mapping[str, str]) -> str:
    arms = " ".join(f"when date '{month}-01' then {value}" for month, value in values.items())
    return f"case t_month {arms} end" if arms else "null"


def _case(subject: str, values: Mapping[str | None, str] | Mapping[str, str], otherwise: str = "null") -> str:
    if not values:
        return otherwise
    arms = " ".join(
        f"when {subject} is not distinct from {'null' if name is None else literal(name)} then {value}"
        for name, value in values.items()
    )
    return f"case {arms} else {otherwise} end"
