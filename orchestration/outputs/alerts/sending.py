"""Telling what is new: one look at the published marts and at what is still to be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestration.outputs.alerts.channels import Channel, DeliveryError
from orchestration.outputs.alerts.items import News, read_news
from orchestration.outputs.alerts.ledger import open_ledger
from orchestration.settings import Settings


@dataclass(frozen=True)
class Told:
    """What one look came to: deliveries that arrived, and those that did not, with the reason."""

    delivered: int = 0
    failed: int = 0
    busy: bool = False


def tell(
    settings: Settings, channels: Mapping[str, Channel], now: datetime, log: Callable[[str], None]
) -> Told:
    """Send what is new or due to every channel; what fails is due again later.

    Raises `NotReadableError` when nothing has been published yet.
    """
    with open_ledger(settings.alert_ledger) as ledger:
        if ledger is None:
            return Told(busy=True)
        # What could not be told for long is not lost because it is no longer new.
        waiting = ledger.waiting()
        news = {item.anomaly_id: item for item in read_news(settings, waiting)}
        for channel in channels:
            for item in news.values():
                ledger.note(channel, item, now)
        delivered = failed = 0
        for delivery in ledger.due(now):
            found = news.get(delivery.anomaly_id)
            if delivery.channel not in channels:
                continue  # a receiver that is named no more; should it come back, it is told
            if found is None:
                log(f"{delivery.anomaly_id} is no anomaly any more; {delivery.channel} is not told of it")
                ledger.withdraw(delivery)
                continue
            error = _error_of(channels[delivery.channel], found)
            if error is None:
                ledger.delivered(delivery, now)
                delivered += 1
            else:
                again = ledger.failed(delivery, error, now)
                log(f"{delivery.channel}, anomaly {delivery.anomaly_id}: {error}; again at {again:%H:%M}")
                failed += 1
    return Told(delivered, failed)


def _error_of(channel: Channel, news: News) -> str | None:
    try:
        channel.send(news)
    except DeliveryError as error:
        return str(error)
    return None
