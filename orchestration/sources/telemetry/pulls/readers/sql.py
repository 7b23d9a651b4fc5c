"""Any SQL database with a SQLAlchemy driver: a query over one window of time, `:start` to `:end`.

Its columns are the customer, `time` (when the usage was; without a zone it is UTC) and `value`, under other
names if the pull says so. Each row counts in the hour or day of its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from orchestration.compiler.language.pulls import Pull
from orchestration.sources.telemetry.pulls.readers.reader import (
    Access,
    PullError,
    Quantity,
    Window,
    customer_ids,
)


def read(pull: Pull, window: Window, access: Access) -> Iterator[Quantity]:
    """One quantity per row."""
    import sqlalchemy

    columns = pull.option("time", "time"), pull.customer, pull.option("value", "value")
    customer_id = customer_ids(pull)
    statement = sqlalchemy.text(pull.option("query"))
    try:
        engine = sqlalchemy.create_engine(access.address(pull))
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise PullError(f'the connection "{pull.origin}" cannot be opened: {error}') from error
    try:
        with engine.connect().execution_options(stream_results=True) as connection:
            result = connection.execute(statement, {"start": window.start, "end": window.end})
            names = list(result.keys())
            if missing := [name for name in columns if name not in names]:
                raise PullError(
                    f"the query has no column {', '.join(missing)}; it has {', '.join(names)}: "
                    "rename it there, or name it in the pull under time, customer or value"
                )
            places = [names.index(name) for name in columns]
            for row in result:
                when, customer, value = (row[place] for place in places)
                of = customer_id(None if customer is None else str(customer))
                yield Quantity(_step_of(when, window), of, _number(value))
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise PullError(f"the query failed: {getattr(error, 'orig', None) or error}") from error
    finally:
        engine.dispose()


def _step_of(said: Any, window: Window) -> datetime:
    """The step of the window that a time lies in."""
    when = said
    if isinstance(said, str):
        with suppress(ValueError):
            when = datetime.fromisoformat(said)
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime.combine(when, time.min)
    if not isinstance(when, datetime):
        raise PullError(f"time {said!r} is not a time; select a timestamp")
    if when.tzinfo:
        when = when.astimezone(UTC).replace(tzinfo=None)
    if not window.start <= when < window.end:
        raise PullError(
            f"the query gave a row of {when}, outside {window.start} to {window.end}; "
            "filter: time >= :start and time < :end"
        )
    return when - (when - window.start) % timedelta(seconds=window.step.total_seconds())


def _number(said: Any) -> int | float | Decimal:
    if isinstance(said, bool) or not isinstance(said, int | float | Decimal):
        raise PullError(f"value {said!r} is not a number; select one, such as coalesce(sum(n), 0)")
    number: int | float | Decimal = said
    return number
