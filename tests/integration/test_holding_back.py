"""A provider of which we ask too much: its account waits, all others go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import SendFailed
from connectors.messages import Account, Channel, OutboundMessage, Sent
from connectors.models import Connector
from inbox import outbox
from inbox.models import Agent, Case, Delivery
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Answers in turn; a delivery's text for each call."""
    calls: list[str] = []

    def answers(*given: Sent | SendFailed) -> list[str]:
        waiting = list(given)

        def send(account: Account, message: OutboundMessage) -> Sent:
            calls.append(message.text)
            answer = waiting.pop(0)
            if isinstance(answer, SendFailed):
                raise answer
            return answer

        monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "send", send)
        monkeypatch.setattr(ADAPTERS[Channel.SMS], "send", lambda account, message: Sent(f"sms-{message.delivery}"))
        return calls

    return answers


@pytest.fixture
def replies(maya: Any, account: Any, number: Any, ana: Any) -> list[str]:
    """Two on Instagram and one by text, about to leave."""
    case = make.says(maya, number, "Also here").case
    make.says(maya, account, "Is it back?")
    make.answers(ana, case, "One", channel="instagram")
    make.answers(ana, case, "Two", channel="instagram")
    make.answers(ana, case, "By text", channel="sms")
    return ["One", "Two", "By text"]


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("text", "state"))


def test_one_refusal_is_enough_and_other_channels_go_on(replies: list[str], meta: Any) -> None:
    too_much = SendFailed("Too much.", permanent=False, retry_after=300, holds_all=True)
    calls = meta(too_much, Sent("m1"), Sent("m2"))
    outbox.deliver_due()
    assert calls == ["One"]
    assert states() == {"One": "queued", "Two": "queued", "By text": "sent"}
    with time_machine.travel(now() + timedelta(seconds=250)):
        outbox.deliver_due()
        assert calls == ["One"]
    with time_machine.travel(now() + timedelta(seconds=302)):
        outbox.deliver_due()
    assert states() == {"One": "sent", "Two": "sent", "By text": "sent"}


def test_waiting_for_the_provider_is_no_try(replies: list[str], meta: Any) -> None:
    meta(Sent("m1", pause=60))
    outbox.deliver_due()
    waiting = Delivery.objects.get(text="Two")
    assert (waiting.state, waiting.attempts) == ("queued", 0)
    assert "may send no more for the moment" in waiting.reason


def test_a_hold_is_never_shortened_and_never_lasts_for_ever(account: Connector) -> None:
    account.hold(600)
    account.hold(5)
    account.refresh_from_db()
    assert account.held_until is not None
    assert account.held_until > now() + timedelta(seconds=590)
    account.hold(10**9)
    account.refresh_from_db()
    assert account.held_until < now() + timedelta(hours=2)


def test_two_that_hang_are_enough_of_one_provider(replies: list[str], meta: Any) -> None:
    meta(Sent("m1"), Sent("m2"))
    case, account = Case.objects.get(), Connector.objects.get(kind="instagram")
    for text in ("Hanging", "Hanging too"):
        make.answers(Agent.objects.get(), case, text, channel="instagram")
    long_ago = now() - timedelta(seconds=5)
    Delivery.objects.filter(text__startswith="Hanging").update(
        state="sending", claimed_at=long_ago, changed_at=long_ago
    )
    outbox.deliver_due()
    assert states()["By text"] == "sent"
    assert (states()["One"], states()["Two"]) == ("queued", "queued")
    Delivery.objects.filter(text="Hanging").update(state="sent")
    with time_machine.travel(now() + timedelta(seconds=4)):
        outbox.deliver_due()
    assert (states()["One"], states()["Two"]) == ("sent", "sent")
    account.refresh_from_db()
    assert not account.is_held
