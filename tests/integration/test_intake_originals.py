"""The original of a message shows that message, and nobody else's."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from connectors.messages import Unsend
from connectors.models import Connector, Receipt
from inbox.intake import replay, updates
from inbox.models import Entry
from tests import make
from tests.integration.test_webhooks import direct_message, said, text_from, work

pytestmark = pytest.mark.django_db(transaction=True)


def original(browser: Client, entry: Entry) -> bytes:
    return browser.get(f"/entries/{entry.pk}/original/").content


def test_a_message_that_came_alone_is_shown_as_it_came(number: Connector, maya: Any, ana: Any, browser_of: Any) -> None:
    text_from(number, "Where is it?")
    work()
    assert original(browser_of(ana), Entry.objects.get(kind="message")) == bytes(Receipt.objects.get().body)


def test_a_mail_from_a_server_whose_clock_runs_ahead_is_shown_as_it_came(
    mailbox: Connector, maya: Any, ana: Any, browser_of: Any
) -> None:
    mail = b"From: maya@ortiz.test\r\nTo: support@northwind.test\r\nMessage-ID: <1@ortiz.test>\r\n\r\nhi\r\n"
    Receipt.store(mailbox, mail, headers={}, at=now() + timedelta(seconds=40))
    work()
    assert original(browser_of(ana), Entry.objects.get()) == mail


def test_a_message_that_came_with_others_shows_only_its_own_words(
    account: Connector, billing: Any, maya: Any, ana: Any, browser_of: Any
) -> None:
    other = make.instagram_account(billing, "17841400000000002")
    theirs = said(other, "m2", "about my salary") | {"sender": {"id": "55555"}}
    entries = [
        {"id": account.address, "messaging": [said(account, "m1", "to support")]},
        {"id": other.address, "messaging": [theirs]},
    ]
    body = json.dumps({"object": "instagram", "entry": entries}).encode()
    signature = hmac.new(b"appsecret123", body, hashlib.sha256).hexdigest()
    Client().post(
        f"/hooks/{account.token}/",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature-256": f"sha256={signature}"},
    )
    work()
    assert Entry.objects.filter(text="about my salary").exists()
    assert original(browser_of(ana), Entry.objects.get(text="to support")) == b"to support"


def test_the_original_of_what_its_sender_took_back_is_gone(
    account: Connector, maya: Any, ana: Any, browser_of: Any
) -> None:
    direct_message(account, [said(account, "m1", "I regret this")])
    work()
    updates.unsend(account, Unsend("m1", account.address))
    entry = Entry.objects.get(kind="message")
    answer = browser_of(ana).get(f"/entries/{entry.pk}/original/")
    assert answer.status_code == 404
    assert b"I regret this" not in answer.content


def test_a_replayed_batch_still_says_which_entries_it_became(account: Connector, maya: Any, adam: Any) -> None:
    direct_message(account, [said(account, "m1", "one"), {"sender": "nonsense", "message": 7}])
    work()
    entry = Entry.objects.get(kind="message")
    again = replay(Receipt.objects.get(), by=adam)
    assert again.outcomes[0] == {"outcome": "entry", "entry": entry.pk, "case": entry.case_id}
