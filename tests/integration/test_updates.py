"""Words that are changed or taken back, reactions, and receipts: in any order, late, twice, two at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Attachment as File
from connectors.messages import Bounce, Channel, Edit, Reaction, Read, Sender, Sent, Unsend
from connectors.models import Connector
from inbox import intake, outbox
from inbox.intake import files, reports, updates
from inbox.intake.outcomes import Duplicate
from inbox.locking import Moved
from inbox.models import Attachment, Case, Delivery, Entry, State
from inbox.outbox.sending import mark_sent
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

MAYA = "1002003004005001"


def edits(account: Connector, text: str, number: int = 1, mid: str = "m1") -> None:
    updates.edit(account, Edit(mid, account.address, text, number))


def unsends(account: Connector, mid: str = "m1") -> None:
    updates.unsend(account, Unsend(mid, account.address))


def reacts(account: Connector, emoji: str, at: Any = None, mid: str = "m1") -> None:
    updates.reaction(account, Reaction(mid, account.address, Sender(MAYA, account.address), emoji, at))


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """`meanwhile(act)`: another worker does this after the message was looked up and before it is locked."""

    def before_the_lock(act: Callable[[], None]) -> None:
        real, left = updates.locked_with, [act]

        @contextmanager
        def racing(entry: Entry) -> Iterator[Case]:
            if left:
                left.pop()()
            with real(entry) as held:
                yield held

        monkeypatch.setattr(updates, "locked_with", racing)

    return before_the_lock


# Edits


def test_an_edit_changes_the_words_everywhere(maya: Any, account: Any) -> None:
    said = make.says(maya, account, "order #48213 please", provider_id="m1")
    edits(account, "order #48214 please")
    case = fresh(said.case)
    assert (fresh(said).text, case.preview, case.subject) == ("order #48214 please",) * 3
    assert list(case.facts.values_list("value", flat=True)) == ["48214"]


def test_an_older_edit_that_waited_for_the_lock_does_not_win(maya: Any, account: Any, meanwhile: Any) -> None:
    said = make.says(maya, account, "one", provider_id="m1")
    meanwhile(lambda: edits(account, "three", 2))
    with pytest.raises(Duplicate):
        edits(account, "two", 1)
    assert fresh(said).text == "three"


def test_an_edit_does_not_bring_back_what_was_taken_back(maya: Any, account: Any, meanwhile: Any) -> None:
    said = make.says(maya, account, "one", provider_id="m1")
    meanwhile(lambda: unsends(account))
    with pytest.raises(Duplicate):
        edits(account, "two")
    assert fresh(said).text == ""


# Taken back


def test_words_that_were_taken_back_are_nowhere_any_more(maya: Any, account: Any) -> None:
    said = make.says(maya, account, "my secret, order #48213", provider_id="m1")
    edits(account, "less secret, order #48214")
    unsends(account)
    entry, case = fresh(said), fresh(said.case)
    kept = json.dumps([entry.text, entry.data, case.subject, case.preview, list(case.facts.values_list("value"))])
    assert "secret" not in kept
    assert "4821" not in kept
    assert case.preview == "Deleted by the sender"


def test_what_another_message_told_as_well_is_still_told(maya: Any, account: Any, number: Any) -> None:
    make.says(maya, account, "order #48213", provider_id="m1")
    again = make.says(maya, number, "about my order #48213")
    unsends(account)
    assert [(fact.value, fact.entry_id) for fact in again.case.facts.all()] == [("48213", again.pk)]


def test_a_case_that_was_named_by_an_agent_or_a_mail_keeps_its_name(maya: Any, account: Any, mailbox: Any) -> None:
    mail = make.says(maya, mailbox, "hi", subject="My parcel")
    make.says(maya, account, "a secret", provider_id="m1")
    unsends(account)
    assert fresh(mail.case).subject == "My parcel"


def test_files_that_were_taken_back_are_gone_from_the_disk(maya: Any, account: Any) -> None:
    said = make.says(maya, account, "", provider_id="m1", files=[File(name="a.png", content=b"png")])
    key = said.attachments.get().key
    assert default_storage.exists(key)
    unsends(account)
    assert not default_storage.exists(key)
    assert not Attachment.objects.exists()


def test_files_stay_when_taking_back_is_rolled_back(maya: Any, account: Any, monkeypatch: Any) -> None:
    said = make.says(maya, account, "", provider_id="m1", files=[File(name="a.png", content=b"png")])
    monkeypatch.setattr(updates, "_tell_again", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        unsends(account)
    assert default_storage.exists(said.attachments.get().key)


def test_a_file_that_is_taken_back_while_it_is_fetched_stays_away(maya: Any, account: Any, fetching: Any) -> None:
    make.says(maya, account, "", provider_id="m1", files=[File(name="a.png", url="https://x.test/a.png")])
    stored: list[str] = []
    fetching(lambda: unsends(account), stored)
    assert files.fetch_file(Attachment.objects.get().pk)
    assert not Attachment.objects.exists()
    assert stored
    assert not any(default_storage.exists(key) for key in stored)


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`fetching(act, stored)`: while the provider hands out a file, this happens; `stored` gets the keys on disk."""

    def during(act: Callable[[], None], stored: list[str]) -> None:
        def fetch(self: Any, account: Any, file: File) -> File:
            act()
            return File(name="a.png", content_type="image/png", content=b"png")

        real = FileSystemStorage.save

        def save(self: FileSystemStorage, name: str, content: Any) -> str:
            stored.append(name)
            return real(self, name, content)

        monkeypatch.setattr(type(ADAPTERS[Channel("instagram")]), "fetch_media", fetch)
        monkeypatch.setattr(FileSystemStorage, "save", save)

    return during


def test_a_filed_message_can_be_taken_back_too(maya: Any, account: Any) -> None:
    filed = make.says(maya, account, "my secret", provider_id="m1", classification="automatic")
    assert filed.case is None
    unsends(account)
    assert (fresh(filed).text, bool(fresh(filed).unsent_at)) == ("", True)


def test_a_filed_message_that_gets_a_case_meanwhile_is_found_there(
    maya: Any, account: Any, ana: Any, monkeypatch: Any
) -> None:
    filed = make.says(maya, account, "my secret", provider_id="m1", classification="automatic")
    real = updates._locked_owner

    @contextmanager
    def racing(entry: Entry) -> Iterator[None]:
        intake.this_is_a_person(fresh(filed), by=ana)
        with real(entry):
            yield

    monkeypatch.setattr(updates, "_locked_owner", racing)
    with pytest.raises(Moved):
        unsends(account)
    unsends(account)
    assert "secret" not in Case.objects.get().preview


def test_our_own_picture_can_be_taken_back_on_the_phone(maya: Any, account: Any, ana: Any) -> None:
    asked = make.says(maya, account, "hi")
    reply = make.answers(ana, asked.case, "", files=[picture(ana).pk])
    send(reply, "own-1")
    unsends(account, "own-1")
    assert fresh(reply).unsent_at
    assert fresh(asked).is_open, "our answer is gone, so it waits again"


def test_a_customer_whom_we_wrote_again_does_not_wait_for_what_we_took_back(maya: Any, account: Any, ana: Any) -> None:
    asked = make.says(maya, account, "hi")
    wrong = make.answers(ana, asked.case, "wrong")
    send(wrong, "own-1")
    send(make.answers(ana, asked.case, "right"), "own-2")
    unsends(account, "own-1")
    assert not fresh(asked).is_open


def test_taking_back_one_part_of_our_reply_leaves_the_others(maya: Any, account: Any, ana: Any) -> None:
    asked = make.says(maya, account, "hi")
    reply = make.answers(ana, asked.case, "see the picture", files=[picture(ana).pk])
    send(reply, "own-text", "own-file")
    unsends(account, "own-file")
    entry = fresh(reply)
    assert (entry.text, entry.unsent_at, entry.attachments.count()) == ("see the picture", None, 0)
    unsends(account, "own-text")
    entry = fresh(reply)
    assert (entry.text, bool(entry.unsent_at)) == ("", True)


def picture(ana: Any) -> Attachment:
    return Attachment.objects.create(uploaded_by=ana, name="a.png", content_type="image/png", size=3, key="")


def send(reply: Entry, *provider_ids: str) -> None:
    for delivery, provider_id in zip(reply.deliveries.order_by("part"), provider_ids, strict=True):
        Delivery.objects.filter(pk=delivery.pk).update(state=State.SENDING, attempts=1, claimed_at=now())
        mark_sent(Delivery.objects.with_all().get(pk=delivery.pk), Sent(provider_id))


# Reactions


def test_the_newest_reaction_of_each_person_holds_in_whatever_order_they_come(maya: Any, account: Any) -> None:
    said, at = make.says(maya, account, "hi", provider_id="m1"), now()
    reacts(account, "", at + timedelta(seconds=5))
    with pytest.raises(Duplicate):
        reacts(account, "❤️", at)
    assert fresh(said).reactions == {}
    reacts(account, "😮", at + timedelta(seconds=9))
    assert list(fresh(said).reactions.values()) == ["😮"]


def test_two_reactions_at_once_do_not_overwrite_each_other(maya: Any, account: Any, meanwhile: Any) -> None:
    said = make.says(maya, account, "hi", provider_id="m1")
    theirs = Reaction("m1", account.address, Sender("999", account.address), "👍")
    meanwhile(lambda: updates.reaction(account, theirs) and None)
    reacts(account, "❤️")
    assert fresh(said).reactions == {"999": "👍", MAYA: "❤️"}


# What an open page fetches when it catches up


def test_a_page_that_missed_the_news_of_a_reaction_or_a_file_hears_of_it(
    maya: Any, account: Any, ana: Any, browser_of: Any, fetching: Any
) -> None:
    said = make.says(maya, account, "look", provider_id="m1", files=[File(name="a.png", url="https://x.test/a.png")])
    Entry.objects.update(created_at=now() - timedelta(hours=1))
    since = {"X-Since": (now() - timedelta(seconds=1)).isoformat()}

    def news() -> str:
        return str(browser_of(ana).get(f"/cases/{said.case_id}/changes/", headers=since).content.decode())

    assert f'data-entry="{said.pk}"' not in news()
    reacts(account, "❤️")
    assert "❤️" in news()
    Entry.objects.update(touched_at=None)
    fetching(lambda: None, [])
    files.fetch_files()
    assert f"/attachments/{Attachment.objects.get().uuid}/" in news()


# Bounces


def bounces(
    mailbox: Connector, reply: Entry, address: str, *, permanent: bool = True, reason: str = "No such person."
) -> str:
    whole = make.message(Sender("mailer-daemon@mx.test"), mailbox, "It did not work.", classification="bounce")
    item = Bounce(reply.message_id, address, permanent=permanent, reason=reason, code="5.1.1", mail=whole)
    return str(reports.bounce(mailbox, item)["outcome"])


@pytest.fixture
def mailed(maya: Any, mailbox: Any, ana: Any) -> Entry:
    """A mail to Maya that has left, her boss copied."""
    asked = make.says(maya, mailbox, "hi")
    reply = make.answers(ana, asked.case, "hello")
    Entry.objects.filter(pk=reply.pk).update(headers={**reply.headers, "cc": ["boss@ortiz.test"]})
    send(reply, reply.message_id)
    return reply


def test_a_bounce_opens_what_the_mail_had_answered(mailed: Entry, mailbox: Any) -> None:
    bounces(mailbox, mailed, "maya@ortiz.test")
    assert mailed.deliveries.get().state == State.FAILED
    assert Case.objects.get().waiting_since


def test_a_mail_that_one_copied_person_did_not_get_says_so_and_stays_sent(
    mailed: Entry, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    for _ in range(2):
        bounces(mailbox, mailed, "Boss@ortiz.test")
    delivery = mailed.deliveries.get()
    assert (delivery.state, delivery.reason) == (State.SENT, "Not delivered to boss@ortiz.test: No such person.")
    page = browser_of(ana).get(f"/inbox/open/c/{mailed.case_id}/").content.decode()
    assert "Not delivered to boss@ortiz.test" in page
    assert Case.objects.get().waiting_since is None


def test_a_mail_that_is_late_says_so(mailed: Entry, mailbox: Any, heard: list[dict[str, Any]]) -> None:
    heard.clear()
    bounces(mailbox, mailed, "maya@ortiz.test", permanent=False, reason="It is delayed.")
    assert (mailed.deliveries.get().state, mailed.deliveries.get().reason) == (State.SENT, "It is delayed.")
    assert [frame["entry"] for frame in heard] == [mailed.pk]


def test_a_bounce_for_a_stranger_means_nothing_and_is_filed(mailed: Entry, mailbox: Any) -> None:
    assert bounces(mailbox, mailed, "stranger@elsewhere.test") == "entry"
    assert mailed.deliveries.get().reason == ""
    assert Entry.objects.get(kind="filed").text == "It did not work."


# Seen


def test_what_was_seen_was_sent(maya: Any, account: Any, ana: Any) -> None:
    asked = make.says(maya, account, "hi")
    reply = make.answers(ana, asked.case, "hello")
    send(reply, "own-1")
    Delivery.objects.update(state=State.UNKNOWN)
    reports.read(account, Read("own-1", account.address, Sender(MAYA, account.address)))
    assert reply.deliveries.get().state == State.READ


def test_nothing_of_a_reply_is_seen_while_it_is_held(maya: Any, account: Any, ana: Any) -> None:
    asked = make.says(maya, account, "hi", provider_id="m1")
    first = make.answers(ana, asked.case, "hello")
    send(first, "own-1")
    held = make.answers(ana, asked.case, "and")
    reports.read(account, Read("own-1", account.address, Sender(MAYA, account.address)))
    assert [each.deliveries.get().state for each in (first, held)] == [State.READ, State.QUEUED]
    assert outbox.undo(held, by=ana)
