"""Until when somebody on Instagram can be answered: what the composer says, and what the server does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Account, Channel, OutboundMessage, Sent
from connectors.models import Connector
from inbox import outbox
from inbox.models import Case, Delivery
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(maya: Any, account: Any) -> Case:
    found = make.says(maya, account, "Is the red one back?").case
    assert found is not None
    return found


@pytest.fixture
def later(case: Case) -> Any:
    def by(hours: float) -> datetime:
        return now() + timedelta(hours=hours)

    return by


def composer(browser: Any, case: Case) -> str:
    answer = browser.get(f"/cases/{case.pk}/composer/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_composer_says_until_when_an_answer_is_taken(case: Case, ana: Any, browser_of: Any) -> None:
    assert "Instagram takes answers until" in composer(browser_of(ana), case)


def test_after_a_day_an_approved_app_answers_as_a_person_and_the_composer_says_so(
    case: Case, ana: Any, browser_of: Any, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Connector.objects.update(options={"human_agent": "yes"})
    sent: list[OutboundMessage] = []

    def send(account: Account, message: OutboundMessage) -> Sent:
        sent.append(message)
        return Sent("out-1")

    monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "send", send)
    with time_machine.travel(later(25)):
        assert "Their 24 hours are over." in composer(browser_of(ana), case)
        make.answers(ana, case, "It is back!")
        outbox.deliver_due()
    assert [each.automatic for each in sent] == [False]
    assert Delivery.objects.get().state == "sent"


def test_after_a_day_others_are_told_to_use_another_channel(case: Case, ana: Any, browser_of: Any, later: Any) -> None:
    with time_machine.travel(later(25)):
        html = composer(browser_of(ana), case)
    assert "takes answers until" not in html
    assert "more than 24 hours ago" in html


def test_what_a_program_writes_is_not_sent_as_a_persons(case: Case, later: Any) -> None:
    Connector.objects.update(options={"human_agent": "yes"})
    identity = case.customer.identities.get(kind="instagram")
    entry = outbox.notify(case, to=identity, text="We are closed.")
    assert entry is not None
    with time_machine.travel(later(25)):
        outbox.deliver_due()
        assert outbox.notify(case, to=identity, text="Still closed.") is None
    delivery = Delivery.objects.get()
    assert (delivery.state, "24 hours" in delivery.reason) == ("failed", True)
