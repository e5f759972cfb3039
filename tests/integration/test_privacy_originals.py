"""The raw bytes of whom we forget are removed by a worker: all of them, whoever dies over it, and nobody waits."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.utils.timezone import now

from connectors.models import Receipt
from customers.models import Identity
from inbox import intake, privacy, sweeping
from inbox.models import Act, Audit, Entry, Erasing
from inbox.privacy import keeping, originals, receipts
from tests import make

pytestmark = pytest.mark.django_db


def mail(connector: Any, number: int, text: str = "Zebra") -> Entry:
    head = [
        "From: Maya <maya@ortiz.test>",
        f"To: {connector.address}",
        "Subject: The lid",
        f"Message-ID: <{number}@ortiz.test>",
        "Authentication-Results: sandbox.test; dmarc=pass",
    ]
    key = Receipt.store(connector, "\r\n".join([*head, "", text]).encode(), headers={}, key=f"uid-{number}")
    assert key
    assert intake.take_in(key)
    return Entry.objects.get(pk=Receipt.objects.get(pk=key).outcomes[0]["entry"])


def raw() -> list[int]:
    """Receipts that still hold something of hers."""
    return [each.pk for each in Receipt.objects.order_by("pk") if b"Zebra" in bytes(each.body)]


@pytest.fixture
def mails(maya: Any, mailbox: Any) -> list[Entry]:
    return [mail(mailbox, number) for number in range(5)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "BATCH", 2)


def test_erasing_leaves_them_to_a_worker_and_the_page_says_so(
    maya: Any, mails: list[Entry], adam: Any, browser_of: Any
) -> None:
    client = browser_of(adam)
    client.post(f"/customers/{maya.pk}/privacy/erase/", {"why": "Asked to", "sure": "1"})
    assert len(raw()) == 5
    assert "The originals are being removed" in client.get(f"/customers/{maya.pk}/privacy/").content.decode()
    originals.remove(Erasing.objects.get().pk)
    assert raw() == []
    assert not Erasing.objects.exists()
    assert "The originals are being removed" not in client.get(f"/customers/{maya.pk}/privacy/").content.decode()
    assert Audit.objects.get(act=Act.ORIGINALS).found == {"receipts": 5}


def test_nobody_reads_them_meanwhile(maya: Any, mails: list[Entry], adam: Any, browser_of: Any) -> None:
    client = browser_of(adam)
    path = f"/entries/{mails[0].pk}/original/"
    assert b"Zebra" in client.get(path).content
    privacy.erase_person(maya, by=adam, why="")
    assert b"Zebra" not in client.get(path).content
    assert len(raw()) == 5


def test_a_worker_that_dies_leaves_what_is_still_to_be_done_in_the_row(
    maya: Any, mails: list[Entry], adam: Any, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    privacy.erase_person(maya, by=adam, why="")
    found, calls = receipts.forget_those_of, []

    def dying(entries: Any, *rest: Any) -> int:
        calls.append(entries)
        if len(calls) == 2:
            raise MemoryError
        return found(entries, *rest)

    monkeypatch.setattr(receipts, "forget_those_of", dying)
    with pytest.raises(MemoryError):
        originals.remove(Erasing.objects.get().pk)
    row = Erasing.objects.get()
    assert (len(raw()), len(row.entries), row.emptied) == (3, 3, 2)
    assert row.next_at > now()
    assert originals.remove_due() == 0, "not again at once"
    Erasing.objects.update(next_at=now())
    assert originals.remove_due() == 3
    assert raw() == []


def test_the_sweeper_goes_on_with_it(maya: Any, mails: list[Entry], adam: Any) -> None:
    privacy.erase_person(maya, by=adam, why="")
    assert privacy.tidy in sweeping.THEIRS
    keeping.tidy()
    assert raw() == []


def test_what_came_from_the_address_and_became_no_message_goes_too(maya: Any, mailbox: Any, adam: Any) -> None:
    body = b"From: maya@ortiz.test\n\nZebra"
    aside = Receipt.store(mailbox, body, headers={})
    Receipt.objects.filter(pk=aside).update(state="quarantined", outcomes=[{"outcome": "quarantine", "reason": "x"}])
    privacy.erase_address(maya.identities.get(kind="email"), by=adam, why="")
    assert raw() == [aside]
    originals.remove_due()
    assert raw() == []


@pytest.mark.parametrize("state", ["quarantined", "discarded", "done"])
def test_nobody_reads_what_was_set_aside_meanwhile(
    maya: Any, mailbox: Any, adam: Any, sue: Any, browser_of: Any, state: str
) -> None:
    """Also what was let go, and what was once replayed."""
    aside = [
        Receipt.store(mailbox, f"From: {sender}@ortiz.test\n\nZebra".encode(), headers={}) for sender in ("maya", "bob")
    ]
    told = [{"outcome": "quarantine", "reason": "x", "excerpt": "Zebra"}]
    Receipt.objects.filter(pk__in=aside).update(state=state, outcomes=told)
    client = browser_of(sue)
    privacy.erase_address(maya.identities.get(kind="email"), by=adam, why="")
    assert raw() == aside
    for path in ("", "raw/"):
        answers = [client.get(f"/quarantine/{each}/{path}").status_code for each in aside]
        assert answers == [404, 200]


def test_nobody_reads_meanwhile_what_was_set_aside_and_became_a_message(
    maya: Any, mails: list[Entry], adam: Any, sue: Any, browser_of: Any
) -> None:
    receipt = Receipt.objects.earliest("pk")
    Receipt.objects.filter(pk=receipt.pk).update(journal=[{"at": now().isoformat(), "by": "Sue", "did": "took it in"}])
    client = browser_of(sue)
    assert b"Zebra" in client.get(f"/quarantine/{receipt.pk}/raw/").content
    privacy.erase_person(maya, by=adam, why="")
    assert client.get(f"/quarantine/{receipt.pk}/raw/").status_code == 404


def test_what_is_still_to_be_found_is_kept_where_nobody_reads_it(maya: Any, mails: list[Entry], adam: Any) -> None:
    privacy.erase_address(maya.identities.get(kind="email"), by=adam, why="")
    stored = Erasing.objects.extra(select={"raw": "addresses"}).values_list("raw", flat=True).get()
    assert b"maya" not in bytes(stored)
    assert [each["value"] for each in Erasing.objects.get().addresses.values()] == ["maya@ortiz.test"]


def test_no_lock_of_the_customer_is_held_for_it(
    maya: Any, mails: list[Entry], adam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "forget_those_of", lambda *args: pytest.fail("under the lock"))
    monkeypatch.setattr(receipts, "forget_those_from", lambda *args: pytest.fail("under the lock"))
    privacy.erase_person(maya, by=adam, why="")
    monkeypatch.undo()
    assert originals.remove_due() == 5


def test_one_message_is_emptied_at_once(maya: Any, mails: list[Entry], adam: Any) -> None:
    privacy.redact(mails[0], by=adam, why="A card number")
    assert len(raw()) == 4
    assert not Erasing.objects.exists()


def test_an_address_that_wrote_nothing_leaves_nothing_to_do_for_long(db: None, adam: Any) -> None:
    ann = make.customer("Ann", email="ann@ortiz.test")
    privacy.erase_person(ann, by=adam, why="")
    originals.remove_due()
    assert not Erasing.objects.exists()
    assert Identity.objects.get(customer=ann).erased_at


def test_a_new_key_loses_nothing_that_is_still_to_be_removed(
    maya: Any, mails: list[Entry], adam: Any, settings: Any
) -> None:
    privacy.erase_person(maya, by=adam, why="")
    older, newer = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [newer, older]
    call_command("reencrypt")
    settings.CREDENTIAL_KEYS = [newer]
    assert originals.remove_due() == 5


def test_whoever_erases_at_a_terminal_reads_that_the_workers_go_on(
    maya: Any, mails: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("erase_person", "maya@ortiz.test", "--why", "Asked to", "--yes")
    assert "The workers remove the raw bytes they came in." in capsys.readouterr().out
