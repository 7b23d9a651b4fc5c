"""Send new and undelivered alerts.

The order of recording, sending and recording again makes each alert arrive once. A receiver that fails for a
moment is tried again at once; the ledger keeps the others for later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from orchestration.outputs.alerts.channels import Channel, DeliveryError
from orchestration.outputs.alerts.items import AlertItem, read_alert_items
from orchestration.outputs.alerts.ledger import open_ledger
from orchestration.settings import Settings

TRIES = 3


@dataclass(frozen=True)
class DeliveryResult:
    """How many alerts arrived and how many did not. `busy`: another process is sending."""

    delivered: int = 0
    failed: int = 0
    busy: bool = False


def send_alerts(
    settings: Settings, channels: Mapping[str, Channel], now: datetime, log: Callable[[str], None]
) -> DeliveryResult:
    """Send new and due alerts to every channel; failed ones become due again later.

    Raises `NotReadableError` if nothing has been published yet.
    """
    with open_ledger(settings.alert_ledger) as ledger:
        if ledger is None:
            return DeliveryResult(busy=True)
        # Undelivered alerts are retried even when they are no longer new.
        waiting = ledger.waiting()
        items = {item.anomaly_id: item for item in read_alert_items(settings, waiting)}
        for channel in channels:
            for item in items.values():
                ledger.note(channel, item, now)
        delivered = failed = 0
        for delivery in ledger.due(now):
            found = items.get(delivery.anomaly_id)
            if delivery.channel not in channels:
                continue  # no longer configured; its alerts wait in case it comes back
            if found is None:
                log(f"{delivery.anomaly_id} is not an anomaly anymore; not sent to {delivery.channel}")
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
    return DeliveryResult(delivered, failed)


def _error_of(channel: Channel, item: AlertItem) -> str | None:
    tries = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, DeliveryError) and error.is_transient),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential_jitter(initial=0.2, max=2, jitter=0.2),
        reraise=True,
    )
    try:
        tries(channel.send, item)
    except DeliveryError as error:
        return str(error)
    return None
