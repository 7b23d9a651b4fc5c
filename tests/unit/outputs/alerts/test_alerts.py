"""Each new anomaly is told once to each receiver, whatever fails in between."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from orchestration.automation.sensors import build_alerts_sensor
from orchestration.outputs.alerts.channels import channels_of
from orchestration.outputs.alerts.ledger import open_ledger
from orchestration.outputs.alerts.sending import TRIES, DeliveryResult, send_alerts
from orchestration.settings import AlertMail, Settings
from tests.unit.outputs.alerts.conftest import Receiver, anomaly, minutes

Publish = Callable[..., None]
WithSettings = Callable[..., Settings]


def look(settings: Settings, minute: int = 0) -> DeliveryResult:
    return send_alerts(settings, channels_of(settings), minutes(minute), lambda said: None)


def test_a_webhook_gets_everything_once(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly(), anomaly(anomaly_id="a2", impact_rank=2, same_cause_as="a1"))
    settings = settings_with(alert_webhook_url=receiver.url)
    assert look(settings) == DeliveryResult(delivered=1)
    assert look(settings, 5) == DeliveryResult()
    ((key, content),) = receiver.got
    assert key == content["anomaly_id"] == "a1"
    assert content["cost_impact"] == "476.490000000001"
    assert content["started_at"] == "2026-10-30T14:00:00Z"
    assert content["drivers"][0]["driver"] == "search-api 2.14"


def service(receiver: Receiver, kind: str) -> str:
    """The receiver as an Apprise address: a Mattermost, or anything that takes JSON."""
    place = receiver.url.removeprefix("http://").removesuffix("/hook")
    return f"{kind}://{place}/" + ("secret-token" * 3)[:26]


@pytest.mark.parametrize(("kind", "field"), [("mmost", "text"), ("json", "message")])
def test_a_service_of_apprise_is_told_once(
    kind: str, field: str, receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly())
    settings = settings_with(alert_urls={"chat": service(receiver, kind)})
    assert look(settings) == DeliveryResult(delivered=1)
    assert look(settings, 5) == DeliveryResult()
    ((_, content),) = receiver.got
    assert "(cust-017) cost 476.49 USD more than expected from 2026-10-30 14:00" in content[field]
    assert "deployment: search-api 2.14" in content[field]


def test_what_a_service_does_not_take_is_told_without_its_secrets(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly())
    receiver.answers = [503] * TRIES
    settings = settings_with(alert_urls={"chat": service(receiver, "mmost"), "odd": "nonsense://x"})
    said: list[str] = []
    done = send_alerts(settings, channels_of(settings), minutes(0), said.append)
    assert done == DeliveryResult(failed=2)
    assert "503" in said[0]
    assert "secret" not in said[0]
    assert "odd, anomaly a1: Apprise does not know this kind of address" in said[1]
    assert look(settings_with(alert_urls={"chat": service(receiver, "mmost")}), 1) == DeliveryResult(
        delivered=1
    )


def test_apprise_is_imported_only_to_send(settings_with: WithSettings) -> None:
    script = (
        "import sys\n"
        "from orchestration.automation.sensors import build_alerts_sensor\n"
        "from orchestration.settings import Settings\n"
        "build_alerts_sensor(Settings(alert_urls={'chat': 'json://localhost'}))\n"
        "assert 'apprise' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_hiccup_is_got_over_at_once(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly())
    receiver.answers = [503, 429]
    assert look(settings_with(alert_webhook_url=receiver.url)) == DeliveryResult(delivered=1)
    assert [key for key, _ in receiver.got] == ["a1", "a1", "a1"]


def test_what_fails_is_tried_again_later_and_then_never(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly())
    settings = settings_with(alert_webhook_url=receiver.url)
    receiver.answers = [*[500] * TRIES, 302, 200]
    assert look(settings, 0) == DeliveryResult(failed=1)
    assert look(settings, 0) == DeliveryResult()  # not before a minute has passed
    assert look(settings, 1) == DeliveryResult(failed=1)
    assert look(settings, 2) == DeliveryResult()  # nor, the second time, before two have
    assert look(settings, 3) == DeliveryResult(delivered=1)
    assert look(settings, 99) == DeliveryResult()
    assert [key for key, _ in receiver.got] == ["a1"] * (TRIES + 2)


def test_a_receiver_that_is_down_does_not_keep_the_other_from_being_told(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly())
    settings = settings_with(
        alert_webhook_url="http://127.0.0.1:9", alert_urls={"j": service(receiver, "json")}
    )
    assert look(settings) == DeliveryResult(delivered=1, failed=1)
    assert look(settings, 1) == DeliveryResult(failed=1)
    assert len(receiver.got) == 1


def test_a_restated_anomaly_is_not_new(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    settings = settings_with(alert_webhook_url=receiver.url)
    publish(anomaly())
    look(settings)
    # The bill was corrected: another amount; then another beginning and so another id, and it goes on.
    publish(anomaly(cost_impact=Decimal(500)))
    assert look(settings, 1) == DeliveryResult()
    later = {"started_at": datetime(2026, 10, 30, 13), "ended_at": datetime(2026, 11, 1)}
    publish(anomaly(anomaly_id="a9", **later))
    assert look(settings, 2) == DeliveryResult()
    # The same series, another time; and the same time, another direction.
    publish(
        anomaly(anomaly_id="b1", started_at=datetime(2026, 11, 1, 6), ended_at=datetime(2026, 11, 1, 9)),
        anomaly(anomaly_id="b2", cost_impact=Decimal(-7), **later),
    )
    assert look(settings, 3) == DeliveryResult(delivered=2)


def test_the_past_is_not_news_but_what_waits_is_not_forgotten(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    old = {"started_at": datetime(2026, 10, 1), "ended_at": datetime(2026, 10, 25)}
    publish(anomaly(anomaly_id="old", **old), anomaly(anomaly_id="third", impact_rank=3))
    settings = settings_with(alert_webhook_url=receiver.url, alert_lowest_rank=2)
    assert look(settings) == DeliveryResult()
    publish(anomaly())
    receiver.answers = [503] * TRIES
    assert look(settings) == DeliveryResult(failed=1)
    publish(anomaly(**old))
    assert look(settings, 60) == DeliveryResult(delivered=1)
    # What a correction took away is not told at all.
    receiver.answers = [503] * TRIES
    publish(anomaly(anomaly_id="c1", customer_id="cust-018"))
    assert look(settings, 61) == DeliveryResult(failed=1)
    publish()
    assert look(settings, 999) == DeliveryResult()


def test_two_processes_do_not_tell_at_once(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    publish(anomaly())
    settings = settings_with(alert_webhook_url=receiver.url)
    with open_ledger(settings.alert_ledger):
        assert look(settings) == DeliveryResult(busy=True)
    assert receiver.got == []


@pytest.mark.parametrize("answered", [False, True])
def test_a_process_killed_while_it_tells(
    answered: bool, receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    """Killed before the receiver has answered: sent again under the same key. Killed after: never again."""
    publish(anomaly())
    settings = settings_with(alert_webhook_url=receiver.url)
    script = (
        "import os, signal; from datetime import datetime; from pathlib import Path\n"
        "from orchestration.settings import Settings\n"
        "from orchestration.outputs.alerts.channels import channels_of\n"
        "from orchestration.outputs.alerts.sending import send_alerts\n"
        f"settings = Settings(workspace=Path({str(settings.workspace)!r}), "
        f"alert_webhook_url={receiver.url!r})\n"
        "send_alerts(settings, channels_of(settings), datetime(2026, 11, 2, 8), print)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    if not answered:
        receiver.before_answer = lambda: os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    receiver.before_answer = lambda: None
    assert look(settings, 1) == (DeliveryResult() if answered else DeliveryResult(delivered=1))
    assert look(settings, 2) == DeliveryResult()
    assert {key for key, _ in receiver.got} == {"a1"}
    assert len(receiver.got) == (1 if answered else 2)


class Mailbox:
    """An SMTP server's end of the line, which refuses while `refusing`."""

    def __init__(self) -> None:
        self.refusing = False
        self.got: list[Any] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusing:
            return "451 try again later"
        self.got.append(message_from_bytes(envelope.content or b"", policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Controller]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, controller
    controller.stop()


def test_a_mail_is_sent_when_the_server_takes_it(
    mailbox: tuple[Mailbox, Controller], publish: Publish, settings_with: WithSettings
) -> None:
    box, controller = mailbox
    publish(anomaly(customer_name="Contoso\r\nBcc: everybody@example.org"))
    mail = AlertMail(
        host="127.0.0.1",
        port=controller.port,
        security="none",
        sender="costs@example.org",
        receivers=("finance@example.org", "oncall@example.org"),
    )
    settings = settings_with(alert_mail=mail)
    box.refusing = True
    assert look(settings) == DeliveryResult(failed=1)
    box.refusing = False
    assert look(settings, 1) == DeliveryResult(delivered=1)
    assert look(settings, 2) == DeliveryResult()
    (message,) = box.got
    assert message["Subject"] == "Cost anomaly: Search, Contoso Bcc: everybody@example.org, +476.49 USD"
    assert message["Bcc"] is None
    assert message["Message-ID"] == "<a1@cost-anomalies.invalid>"
    assert "(cust-017) cost 476.49 USD more than expected from 2026-10-30 14:00" in message.get_content()
    assert "deployment: search-api 2.14 2026-10-30T13:48:00Z (production)" in message.get_content()


def test_the_sensor_tells_and_starts_no_run(
    receiver: Receiver, publish: Publish, settings_with: WithSettings
) -> None:
    settings = settings_with(alert_webhook_url=receiver.url)
    sensor = build_alerts_sensor(settings)
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING

    def tick() -> str:
        with dg.build_sensor_context() as context:
            skipped = sensor(context)
        assert isinstance(skipped, dg.SkipReason)
        return skipped.skip_message or ""

    assert "Run the job first" in tick()
    publish(anomaly())
    assert tick() == "Alerts sent: 1, failed: 0"
    assert tick() == "Alerts sent: 0, failed: 0"
    assert len(receiver.got) == 1


def test_without_a_receiver_the_sensor_is_off(settings_with: WithSettings) -> None:
    sensor = build_alerts_sensor(settings_with())
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    with dg.build_sensor_context() as context:
        assert "No receiver" in str(sensor(context))
