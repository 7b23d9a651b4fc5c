"""Alert channels: webhook, mail, and the services of Apprise. Retries are in `sending.py`."""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Protocol

from orchestration.outputs.alerts.items import AlertItem
from orchestration.settings import AlertMail, Settings

SECONDS = 20


class DeliveryError(Exception):
    """A receiver did not accept a message; contains its answer, without secrets from the address.

    `is_transient`: it may accept the message in a moment.
    """

    def __init__(self, why: str, *, is_transient: bool = False) -> None:
        super().__init__(why)
        self.is_transient = is_transient


class Channel(Protocol):
    """One receiver."""

    def send(self, item: AlertItem) -> None:
        """Send one message. Raises `DeliveryError` unless the receiver accepted it."""


def channels_of(settings: Settings) -> dict[str, Channel]:
    """All configured channels, by their name in the ledger."""
    channels: dict[str, Channel] = {}
    if settings.alert_webhook_url:
        channels["webhook"] = Webhook(settings.alert_webhook_url.get_secret_value())
    if settings.alert_mail:
        channels["mail"] = Mail(settings.alert_mail)
    channels |= {name: Service(url.get_secret_value()) for name, url in settings.alert_urls.items()}
    return channels


class Webhook:
    """POSTs the anomaly and its drivers as JSON, with amounts as exact text."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, item: AlertItem) -> None:
        """Accepted if the answer is 2xx; the header `Idempotency-Key` lets receivers detect duplicates."""
        _post(self._url, {"type": "cost_anomaly", **item.content}, {"Idempotency-Key": item.anomaly_id})


class Service:
    """A service that Apprise knows: Slack, Teams, PagerDuty, Opsgenie and a hundred more."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, item: AlertItem) -> None:
        """Accepted if Apprise says so. Services have no key by which to detect duplicates."""
        apprise = _apprise()
        asset = apprise.AppriseAsset(app_id="Cost per customer", app_desc="Cost anomaly")
        service = apprise.Apprise.instantiate(self._url, asset=asset)
        if service is None:
            raise DeliveryError("Apprise does not know this kind of address, or a part of it is missing")
        with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
            accepted = apprise.Apprise([service]).notify(
                body="\n".join([item.explanation, *_drivers(item)]),
                title=item.title,
                notify_type=apprise.NotifyType.WARNING,
                body_format=apprise.NotifyFormat.TEXT,
            )
            if not accepted:
                reason = " ".join(said.getvalue().replace(self._url, "").split())
                raise DeliveryError(reason or "not accepted", is_transient=True)


class Mail:
    """A plain-text mail."""

    def __init__(self, settings: AlertMail) -> None:
        self._settings = settings

    def send(self, item: AlertItem) -> None:
        """Accepted if the server took it for at least one receiver.

        Retries have the same Message-ID, by which mail clients detect duplicates.
        """
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = ", ".join(self._settings.receivers)
        message["Subject"] = item.title
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = f"<{item.anomaly_id}@cost-anomalies.invalid>"
        message.set_content("\n".join([item.explanation, "", *_drivers(item)]))
        try:
            with self._connect() as server:
                server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            text = f"the mail server {self._settings.host} said: {error}"
            raise DeliveryError(text, is_transient=True) from error

    def _connect(self) -> smtplib.SMTP:
        mail = self._settings
        if mail.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
        try:
            if mail.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if mail.user:
                server.login(mail.user, mail.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without its body, so fail instead."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(url: str, content: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310 (settings take http and https only)
        url,
        data=json.dumps(content).encode(),
        headers={"Content-Type": "application/json", **headers},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=SECONDS) as answer:
            answer.read(1000)
    except urllib.error.HTTPError as error:
        said = error.read(300).decode("utf-8", "replace").strip()
        text = f"the receiver answered {error.code} {said}".strip()
        raise DeliveryError(text, is_transient=error.code >= 500 or error.code == 429) from error
    except OSError as error:
        raise DeliveryError(f"the receiver cannot be reached: {error}", is_transient=True) from error


def _apprise() -> Any:
    """Imported when an alert is sent, because it takes its time."""
    try:
        import apprise
    except ImportError as error:
        raise DeliveryError("alert_urls need Apprise: pip install 'cost-per-customer[alerts]'") from error
    return apprise


def _drivers(item: AlertItem) -> list[str]:
    lines = []
    for driver in item.content["drivers"]:
        impact = f" {driver['cost_impact']}" if driver["cost_impact"] is not None else ""
        at = f" {driver['happened_at']}" if driver["happened_at"] else ""
        lines.append(f"{driver['driver_kind']}: {driver['driver']}{impact}{at} ({driver['detail']})")
    return lines
