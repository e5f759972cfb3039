"""What one message costs: each statement is paid for by every message, so a new one has to be meant."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.models import Receipt
from inbox import intake
from inbox.models import Entry, Switch

pytestmark = pytest.mark.django_db(transaction=True)


def statements_of(mailbox: Any, *headers: str) -> int:
    head = ["To: support@northwind.test", "Subject: Lid", f"Message-ID: <{Receipt.objects.count()}@x.test>", *headers]
    key = Receipt.store(mailbox, "\r\n".join([*head, "", "The lid is cracked."]).encode(), headers={})
    assert key
    with CaptureQueriesContext(connection) as captured:
        assert intake.take_in(key)
    assert Receipt.objects.get(pk=key).outcomes[0]["outcome"] == "entry"
    return len(captured)


def test_a_mail_costs_few_statements(maya: Any, mailbox: Any) -> None:
    stranger = statements_of(mailbox, "From: Bob <bob@stone.test>")
    first = statements_of(mailbox, "From: maya@ortiz.test")
    second = statements_of(mailbox, "From: maya@ortiz.test")
    case = Entry.objects.latest("pk").case
    assert case
    token = statements_of(
        mailbox, "From: maya@ortiz.test", f"Delivered-To: support+r.{case.reply_token}@northwind.test"
    )
    copied = statements_of(
        mailbox, "From: bob@stone.test", f"Delivered-To: support+r.{case.reply_token}@northwind.test"
    )
    counted = {"stranger": stranger, "first": first, "second": second, "token": token, "copied in": copied}
    most = {"stranger": 16, "first": 16, "second": 13, "token": 14, "copied in": 19}
    assert {name: count for name, count in counted.items() if count > most[name]} == {}
    assert not Switch.objects.exists()
