"""What Instagram tells in whatever order, twice, by two ways or not at all: one story comes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Account, Channel, Heard, Missed
from connectors.models import Connector, Receipt
from inbox.models import Case, Entry
from inbox.reconciling import reconcile
from tests import make
from tests.integration.test_webhooks import direct_message, said, work

pytestmark = pytest.mark.django_db(transaction=True)
HER = "1002003004005001"


def event(account: Connector, **what: Any) -> dict[str, Any]:
    return {"sender": {"id": HER}, "recipient": {"id": account.address}, "timestamp": 1790000005000, **what}


def work_again() -> None:
    """As if the time until the next try had passed."""
    Receipt.objects.filter(state="waiting").update(next_attempt_at=now())
    work()


def test_one_request_for_two_accounts_gives_each_its_own(account: Connector, billing: Any, maya: Any) -> None:
    second = make.instagram_account(billing, "17841405793187219")
    direct_message(account, [said(account, "m1", "To the shop"), said(second, "m2", "To the other shop")])
    work()
    found = {entry.text: entry.connector_id for entry in Entry.objects.filter(kind="message")}
    assert found == {"To the shop": account.pk, "To the other shop": second.pk}


def test_an_account_that_tells_us_by_two_apps_is_heard_once(account: Connector, maya: Any) -> None:
    account.keep({"app_secret": "appsecret123 the-other-app"}, {})
    direct_message(account, [said(account, "m1", "Hello")])
    direct_message(account, [{**said(account, "m1", "Hello"), "by": "the other app"}], secret="the-other-app")
    work()
    assert Receipt.objects.count() == 2
    assert Entry.objects.filter(kind="message").count() == 1


def test_a_message_taken_back_before_it_came_is_taken_back_when_it_comes(account: Connector, maya: Any) -> None:
    direct_message(account, [event(account, message={"mid": "m1", "is_deleted": True})])
    work()
    assert Receipt.objects.get().state == "waiting"
    direct_message(account, [said(account, "m1", "Never mind this")])
    work_again()
    work_again()
    entry = Entry.objects.get(kind="message")
    assert (entry.text, entry.unsent_at is not None) == ("", True)


def test_an_edit_that_came_before_its_message_changes_it_when_it_comes(account: Connector, maya: Any) -> None:
    direct_message(account, [event(account, message_edit={"mid": "m1", "text": "Size 42", "num_edit": "1"})])
    work()
    direct_message(account, [said(account, "m1", "Size 41")])
    work_again()
    work_again()
    assert Entry.objects.get(kind="message").text == "Size 42"


def test_a_reaction_opens_nothing_and_is_no_message(account: Connector, maya: Any) -> None:
    direct_message(account, [said(account, "m1", "Thanks")])
    work()
    Case.objects.get().resolve(by=None)
    react = {"mid": "m1", "action": "react", "reaction": "love", "emoji": "❤️"}
    direct_message(account, [event(account, reaction=react)])
    work()
    entry = Entry.objects.get(kind="message")
    assert list(entry.reactions.values()) == ["❤️"]
    assert not Case.objects.get().is_live
    direct_message(
        account, [{**event(account, reaction={"mid": "m1", "action": "unreact"}), "timestamp": 1790000006000}]
    )
    work()
    entry.refresh_from_db()
    assert entry.reactions == {}


def test_a_thread_another_app_is_in_charge_of_is_read_and_says_so(account: Connector, maya: Any) -> None:
    body = {"object": "instagram", "entry": [{"id": account.address, "standby": [said(account, "m1", "Hello")]}]}
    Receipt.store(account, json.dumps(body).encode(), headers={})
    work()
    assert "Another app is in charge" in Entry.objects.get(kind="message").remark


def test_what_meta_only_announced_is_fetched_with_what_else_was_missed(
    account: Connector, maya: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = {"timestamp": 1790000005000, "message_edit": {"mid": "m1", "num_edit": 0}}
    direct_message(account, [announced])
    work()
    assert Receipt.objects.get().outcomes[0]["kind"] == "edit announcement"
    item = said(account, "m1", "Is it back?") | {"timestamp": round(datetime.now(UTC).timestamp() * 1000)}
    body = json.dumps({"object": "instagram", "entry": [{"id": account.address, "messaging": [item]}]}).encode()

    def recent(of: Account, since: datetime, skipped: object, known: object) -> Heard:
        return Heard([Missed("m1", body)])

    monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "recent", recent)
    assert reconcile(account.pk) == 1
    work()
    assert Entry.objects.get(kind="message").text == "Is it back?"
    Connector.objects.update(asked_at=now() - timedelta(hours=1))
    assert reconcile(account.pk) == 0
    direct_message(account, [said(account, "m1", "Is it back?")])
    work()
    assert Entry.objects.filter(kind="message").count() == 1
