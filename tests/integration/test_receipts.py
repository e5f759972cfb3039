"""A receipt ends: taken in, or set aside with a reason. What is nobody's fault waits; what is settled stays settled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError
from django.utils.timezone import now

from connectors.messages import Channel
from connectors.models import Connector, Receipt, ReceiptState
from inbox import sweeping
from inbox.intake import files, items, messages, receipts, replay, take_in, take_in_each
from inbox.intake.outcomes import TryLater
from inbox.models import Entry
from tests import make
from tests.integration.test_webhooks import direct_message, said, text_from, work

pytestmark = pytest.mark.django_db(transaction=True)
WITH_FILE = b"""From: maya@ortiz.test
To: support@northwind.test
Message-ID: <1@ortiz.test>
Subject: hi
Content-Type: application/pdf
Content-Disposition: attachment; filename="a.pdf"

%PDF-1.7
""".replace(b"\n", b"\r\n")
NONSENSE = {"sender": "nonsense", "message": 7}


def only() -> Receipt:
    return Receipt.objects.get()


def retry() -> None:
    Receipt.objects.update(next_attempt_at=now())
    work()


def seen(account: Connector, mid: str) -> dict[str, Any]:
    return {
        "sender": {"id": "1002003004005001"},
        "recipient": {"id": account.address},
        "timestamp": 1790000000001,
        "read": {"mid": mid},
    }


def loved(account: Connector, mid: str, *, action: str = "react", at: int = 1790000001000) -> dict[str, Any]:
    heart = {"mid": mid, "action": action, "reaction": "love", "emoji": "❤️"}
    return seen(account, mid) | {"timestamp": at, "reaction": heart, "read": None}


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | None], None]:
    """`breaking(error)`: taking a message in raises this, until `breaking(None)`."""
    real = messages.receive

    def breaks(error: BaseException | None) -> None:
        def receive(*args: Any, **about: Any) -> Any:
            if error:
                raise error
            return real(*args, **about)

        monkeypatch.setattr(messages, "receive", receive)

    return breaks


@pytest.mark.parametrize("error", [InterfaceError("connection already closed"), OperationalError("shutting down")])
def test_a_lost_connection_is_not_a_bad_message(error: Exception, maya: Any, number: Any, breaking: Any) -> None:
    text_from(number, "hi")
    breaking(error)
    for _ in range(12):
        with pytest.raises(type(error)):
            retry()
    assert (only().state, only().outcomes) == (ReceiptState.WAITING, [])
    breaking(None)
    retry()
    assert Entry.objects.filter(text="hi").exists()


def test_a_full_disk_is_waited_for(maya: Any, number: Any, breaking: Any) -> None:
    text_from(number, "hi")
    breaking(TryLater("A file could not be stored."))
    for _ in range(12):
        retry()
    assert (only().state, only().reason) == (ReceiptState.WAITING, "A file could not be stored.")
    assert only().next_attempt_at > now()
    breaking(None)
    retry()
    assert (only().state, only().reason) == (ReceiptState.DONE, "")


def test_words_the_database_cannot_hold_are_the_messages_fault(maya: Any, number: Any, breaking: Any) -> None:
    text_from(number, "hi")
    breaking(DataError("value too long"))
    work()
    assert only().state == ReceiptState.QUARANTINED
    assert only().reason == "It holds something that cannot be stored."
    assert only().outcomes[0]["fix"]


def test_what_kills_its_worker_each_time_is_set_aside(maya: Any, number: Any, monkeypatch: Any) -> None:
    text_from(number, "hi")

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(items, "act", killed)
    for _ in range(receipts.MOST_ATTEMPTS):
        with pytest.raises(SystemExit):
            retry()
    retry()
    assert only().state == ReceiptState.QUARANTINED


def test_one_receipt_that_must_wait_does_not_hold_up_the_others(
    maya: Any, number: Any, mailbox: Any, monkeypatch: Any
) -> None:
    text_from(number, "one")
    text_from(number, "two", sid="SM" + "2" * 32)
    real = messages.receive

    def receive(connector: Any, item: Any, **about: Any) -> Any:
        if item.text == "one":
            raise TryLater("A file could not be stored.")
        return real(connector, item, **about)

    monkeypatch.setattr(messages, "receive", receive)
    sweeping.receipts()
    assert Entry.objects.filter(text="two").exists()


def three_texts(number: Connector) -> list[int]:
    """That came together, as a worker is asked to take them in."""
    for at, words in enumerate(("one", "two", "three")):
        text_from(number, words, sid=f"SM{at:032}")
    return sorted(Receipt.objects.values_list("pk", flat=True))


def test_what_came_together_is_taken_in_in_its_order(maya: Any, number: Any) -> None:
    take_in_each(three_texts(number))
    assert [entry.text for entry in Entry.objects.filter(kind="message").order_by("pk")] == ["one", "two", "three"]


def test_what_came_together_does_not_wait_for_a_lease_when_the_database_goes_away(
    maya: Any, number: Any, breaking: Any
) -> None:
    ids = three_texts(number)
    breaking(OperationalError("shutting down"))
    with pytest.raises(OperationalError):
        take_in_each(ids)
    waiting = list(Receipt.objects.values_list("state", "attempts"))
    assert waiting == [(ReceiptState.WAITING, 0)] * 3
    assert list(Receipt.objects.due().order_by("pk").values_list("pk", flat=True)) == ids[1:]


def test_those_behind_one_that_broke_everything_are_free_at_once(maya: Any, number: Any, breaking: Any) -> None:
    ids = three_texts(number)
    breaking(SystemExit())
    with pytest.raises(SystemExit):
        take_in_each(ids)
    assert list(Receipt.objects.due().order_by("pk").values_list("pk", "attempts")) == [(pk, 0) for pk in ids[1:]]


def test_only_as_much_is_claimed_at_once_as_there_is_room_for(
    maya: Any, number: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, claimed = three_texts(number), []
    monkeypatch.setattr(receipts, "ROOM", 1)
    monkeypatch.setattr(receipts, "_settle_each", lambda some: claimed.append([receipt.pk for receipt, _ in some]))
    take_in_each(ids)
    assert claimed == [[pk] for pk in ids]


def test_what_killed_its_workers_is_not_even_read_again(
    maya: Any, number: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = three_texts(number)
    Receipt.objects.filter(pk=ids[1]).update(attempts=receipts.MOST_ATTEMPTS)
    read = []
    adapter = receipts.ADAPTERS[Channel.SMS]
    parse = adapter.parse
    monkeypatch.setattr(adapter, "parse", lambda raw: (read.append(raw), parse(raw))[1])
    take_in_each(ids)
    assert len(read) == 2
    assert [receipt.state for receipt in Receipt.objects.order_by("pk")] == ["done", "quarantined", "done"]


def test_a_replay_keeps_what_was_said_of_the_good_items(account: Any, maya: Any, adam: Any) -> None:
    direct_message(account, [said(account, "m1", "good"), NONSENSE])
    work()
    before = only().outcomes
    again = replay(only(), by=adam)
    assert again.outcomes == before
    assert before[0]["outcome"] == "entry"


def test_an_item_that_came_too_early_costs_the_others_nothing(account: Any, maya: Any) -> None:
    direct_message(account, [said(account, "m1", "good"), seen(account, "not-here-yet")])
    work()
    assert only().state == ReceiptState.WAITING
    direct_message(account, [said(account, "not-here-yet", "late")])
    work()
    retry()
    first = Receipt.objects.order_by("pk").first()
    assert first
    assert [each["outcome"] for each in first.outcomes] == ["entry", "update"]


def test_a_retried_batch_does_not_bring_an_old_reaction_back(account: Any, maya: Any) -> None:
    make.says(maya, account, "hi", provider_id="m1")
    direct_message(account, [loved(account, "m1"), seen(account, "not-here-yet")])
    work()
    direct_message(account, [loved(account, "m1", action="unreact", at=1790000001000 + 5000)])
    work()
    retry()
    assert Entry.objects.get(text="hi").reactions == {}


def test_a_batch_that_grew_is_taken_in_anew(account: Any, maya: Any, adam: Any, monkeypatch: Any) -> None:
    """A newer program may find more in the same bytes."""
    direct_message(account, [said(account, "m1", "good"), NONSENSE])
    work()
    Receipt.objects.update(outcomes=[only().outcomes[1]])
    assert [each["outcome"] for each in replay(only(), by=adam).outcomes] == ["duplicate", "quarantine"]


def test_a_file_that_cannot_be_stored_leaves_nothing_of_its_message(maya: Any, mailbox: Any, monkeypatch: Any) -> None:
    def full(*_: Any) -> None:
        raise TryLater("A file could not be stored.")

    monkeypatch.setattr(files, "store", full)
    Receipt.store(mailbox, WITH_FILE, headers={})
    work()
    assert only().state == ReceiptState.WAITING
    assert not Entry.objects.exists()
    monkeypatch.undo()
    retry()
    assert Entry.objects.filter(subject="hi").exists()


def test_a_mail_that_is_read_again_stores_its_file_once(maya: Any, mailbox: Any, monkeypatch: Any) -> None:
    stored, store = [], files.store
    monkeypatch.setattr(files, "store", lambda *args: (stored.append(args), store(*args)))
    for uid in range(3):
        Receipt.store(mailbox, WITH_FILE, headers={}, key=f"INBOX:{uid}:1")
    work()
    outcomes = [receipt.outcomes[0]["outcome"] for receipt in Receipt.objects.order_by("pk")]
    assert outcomes == ["entry", "duplicate", "duplicate"]
    assert len(stored) == 1


def test_what_waits_for_a_disk_is_tried_again_soon_but_not_at_once(maya: Any, number: Any, breaking: Any) -> None:
    text_from(number, "hi")
    breaking(TryLater("A file could not be stored."))
    retry()
    assert only().next_attempt_at < now() + timedelta(minutes=1)
    assert not take_in(only().pk)
