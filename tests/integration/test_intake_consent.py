"""STOP and START: recorded each time, told on the timeline when something changed."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import OptOut, OptOutAction, Sender
from customers.models import Consent, Identity
from inbox.intake import consents
from inbox.models import Entry
from tests.make import says

pytestmark = pytest.mark.django_db
MAYA = Sender("+14155552671")


def says_word(number: Any, word: str) -> None:
    action = OptOutAction.STOP if word == "STOP" else OptOutAction.START
    key = f"SM{Consent.objects.count()}"
    consents.opt_out(number, OptOut(key, MAYA, number.address, action, word))


def told() -> list[str]:
    return list(Entry.objects.filter(event="consent").order_by("pk").values_list("text", flat=True))


def test_a_yes_of_somebody_who_never_opted_out_is_no_news(maya: Any, number: Any) -> None:
    says(maya, number, "hi")
    says_word(number, "Yes")
    assert told() == []


def test_coming_back_is_news_and_so_is_leaving_once(maya: Any, number: Any) -> None:
    says(maya, number, "hi")
    for word in ["STOP", "STOP", "START", "Yes"]:
        says_word(number, word)
    assert told() == [
        "Maya opted out of texts: “STOP”. Answer by email or Instagram",
        "Maya wants texts again: “START”",
    ]
    identity = Identity.objects.get(kind="phone", value=MAYA.address)
    assert Consent.objects.opted_out_at(identity, str(number.uuid)) is None
