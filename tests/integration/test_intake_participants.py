"""Somebody else on the thread: they reach the case they were shown, wake it, and are never taken for the customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.messages import Sender
from inbox.locking import locked
from inbox.models import Case
from tests.make import says

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Sender("bob@stone.test", name="Bob Stone")


def test_an_unknown_address_with_our_token_reopens_the_case_it_was_given_for(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    with locked(case) as fresh:
        fresh.resolve(by=ana)
    assert says(BOB, mailbox, "I have the same trouble.", reply_tokens=[case.reply_token]).case == case
    assert Case.objects.count() == 1


def test_an_unknown_address_with_the_token_of_an_old_case_reaches_the_live_one(
    maya: Any, mailbox: Any, ana: Any
) -> None:
    old = says(maya, mailbox, "The lid is cracked.").case
    with locked(old) as fresh:
        fresh.resolve(by=ana)
    Case.objects.update(resolved_at=now() - timedelta(days=60))
    live = says(maya, mailbox, "Another matter.").case
    assert live != old
    assert says(BOB, mailbox, "I have the same trouble.", reply_tokens=[old.reply_token]).case == live
