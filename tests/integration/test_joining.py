""" "This is the same person": what the two had is one from now on, and nobody loses sight of anything."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Attachment as File
from connectors.messages import Channel, Sender
from inbox import merging, outbox, sweeping
from inbox.card import card_for
from inbox.intake import files
from inbox.locking import locked
from inbox.models import Attachment, Case, Draft, Entry, Merge, Status
from tests import make


@pytest.fixture
def bob(db: None) -> Any:
    return make.customer("Bob Stone", email="bob@stone.test", phone="+14155550199")


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_nobody_is_joined_to_themselves(maya: Any, bob: Any, ana: Any) -> None:
    with pytest.raises(merging.CannotJoin, match="already the same"):
        merging.join(maya, maya, by=ana)
    merging.join(maya, bob, by=ana)
    with pytest.raises(merging.CannotJoin, match="already the same"):
        merging.join(bob, maya, by=ana)
    assert Merge.objects.count() == 1


def test_what_the_absorbed_case_says_can_be_opened_by_all_who_see_the_case(
    maya: Any, bob: Any, mailbox: Any, billing_mailbox: Any, ana: Any, lee: Any, browser_of: Any
) -> None:
    hers, his = make.says(maya, mailbox, "to support"), make.says(bob, billing_mailbox, "to billing")
    merge = merging.join(maya, bob, by=ana)
    for agent in (ana, lee):
        assert b"to billing" in browser_of(agent).get(f"/inbox/open/c/{hers.case_id}/").content
        for entry in (hers, his):
            assert browser_of(agent).get(f"/entries/{entry.pk}/original/").status_code == 200
    merging.undo(merge, by=ana)
    assert browser_of(ana).get(f"/entries/{his.pk}/original/").status_code == 404
    assert browser_of(lee).get(f"/entries/{hers.pk}/original/").status_code == 404


def test_the_absorbed_case_leaves_open_lists(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, heard: Any, django_capture_on_commit_callbacks: Any
) -> None:
    make.says(maya, mailbox, "mail")
    his = make.says(bob, number, "text")
    with django_capture_on_commit_callbacks(execute=True):
        merging.join(maya, bob, by=ana)
    assert [frame["live"] for frame in heard if frame["case"] == his.case_id] == [False]


def test_an_absorbed_case_that_slept_does_not_keep_the_sweeper_busy(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    make.says(maya, mailbox, "mail")
    his = make.says(bob, number, "text").case
    assert his
    with locked(his) as case:
        case.snooze(now() + timedelta(hours=1), by=ana)
    merging.join(maya, bob, by=ana)
    Case.objects.filter(pk=his.pk).update(snoozed_until=now() - timedelta(minutes=1))
    assert sweeping.snoozes() == 0


@pytest.mark.parametrize(
    ("older", "newer", "joined"),
    [
        ("waiting", "snoozed", Status.SNOOZED),
        ("snoozed", "waiting", Status.SNOOZED),
        ("snoozed", "open", Status.OPEN),
        ("open", "snoozed", Status.OPEN),
        ("waiting", "open", Status.OPEN),
        ("waiting", "waiting", Status.WAITING),
    ],
)
def test_the_more_urgent_state_of_both_holds(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, older: str, newer: str, joined: Status
) -> None:
    for person, connector, state in [(maya, mailbox, older), (bob, number, newer)]:
        found = make.says(person, connector, "hi").case
        assert found
        if state == "waiting":
            make.answers(ana, found, "ok")
        if state == "snoozed":
            with locked(found) as case:
                case.snooze(now() + timedelta(hours=1), by=ana)
    merging.join(maya, bob, by=ana)
    case = Case.objects.live().get()
    assert case.status == joined
    assert (case.snoozed_until is not None) == (joined == Status.SNOOZED)


def test_the_card_of_the_absorbed_case_lives_on(
    maya: Any, bob: Any, mailbox: Any, number: Any, account: Any, ana: Any
) -> None:
    make.says(bob, mailbox, "old")
    make.says(maya, number, "one")
    moved = make.says(maya, account, "two").case
    assert moved
    assert card_for(moved, ana)
    merging.join(bob, maya, by=ana)
    root = fresh(moved).current()
    assert root != moved
    assert card_for(root, ana)
    assert root.shows_move


def test_a_late_file_of_the_absorbed_case_tells_the_one_people_look_at(
    transactional_db: None,
    maya: Any,
    bob: Any,
    number: Any,
    account: Any,
    ana: Any,
    heard: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = make.says(bob, number, "old")
    make.says(maya, account, "", files=[File(name="a.png", url="https://x.test/a.png")])
    merging.join(bob, maya, by=ana)
    heard.clear()
    instagram = type(ADAPTERS[Channel.INSTAGRAM])
    monkeypatch.setattr(instagram, "fetch_media", lambda self, about, file: dataclasses.replace(file, content=b"png"))
    files.fetch_file(Attachment.objects.get().pk)
    assert [frame["case"] for frame in heard] == [old.case_id]


def test_an_open_page_shows_what_came_and_forgets_what_went(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    his = make.says(bob, number, "Bob's words")
    hers = make.says(maya, mailbox, "Maya's words")

    def changes(newest: int) -> str:
        answer = browser_of(ana).get(f"/cases/{hers.case_id}/changes/", headers={"X-Newest": str(newest)})
        return str(answer.content.decode())

    assert 'id="timeline"' not in changes(hers.pk)
    merge = merging.join(maya, bob, by=ana)
    answer = changes(hers.pk)
    assert 'id="timeline"' in answer
    assert "Bob&#x27;s words" in answer
    newest = Entry.objects.latest("pk").pk
    assert 'id="timeline"' not in changes(newest)
    merging.undo(merge, by=ana)
    answer = changes(newest)
    assert 'id="timeline"' in answer
    assert "Bob&#x27;s words" not in answer
    assert his.case_id != hers.case_id


def test_a_page_that_missed_the_news_learns_that_a_case_is_in_another_now(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "mail")
    his = make.says(bob, number, "text")
    since = now().isoformat()
    merging.join(maya, bob, by=ana)
    answer = browser_of(ana).get("/inbox/open/changes/", {"since": since}).content.decode()
    assert f'id="row-{his.case_id}"' in answer


def test_earlier_cases_of_the_absorbed_person_are_among_those_of_the_customer(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    old = make.says(bob, number, "long ago").case
    assert old
    with locked(old) as case:
        case.resolve(by=ana)
    hers = make.says(maya, mailbox, "mail")
    merging.join(maya, bob, by=ana)
    assert browser_of(ana).get(f"/inbox/open/c/{hers.case_id}/").context["panel"].earlier == [old]


def test_a_draft_follows_with_its_files(maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any) -> None:
    make.says(maya, mailbox, "old")
    his = make.says(bob, number, "new").case
    draft = Draft.objects.create(case=his, agent=ana, channel="sms", text="see picture")
    Attachment.objects.create(draft=draft, uploaded_by=ana, name="a.png", size=1, key="k")
    merging.join(maya, bob, by=ana)
    kept = Draft.objects.get(case=Case.objects.live().get(), agent=ana)
    assert (kept.channel, kept.text, kept.attachments.count()) == ("sms", "see picture", 1)


def test_what_was_begun_in_both_cases_becomes_one_text(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    hers, his = make.says(maya, mailbox, "old").case, make.says(bob, number, "new").case
    Draft.objects.create(case=hers, agent=ana, channel="email", text="one")
    draft = Draft.objects.create(case=his, agent=ana, channel="sms", text="two")
    Attachment.objects.create(draft=draft, uploaded_by=ana, name="a.png", size=1, key="k")
    Draft.objects.create(case=his, agent=ana, channel="note", text="a note")
    merging.join(maya, bob, by=ana)
    reply, note = Draft.objects.order_by("pk")
    assert (reply.case, reply.text, reply.attachments.count()) == (hers, "one\n\ntwo", 1)
    assert (note.case, note.text) == (hers, "a note")


@pytest.mark.parametrize("at", ["the older case", "the newer case"])
def test_a_reply_begun_before_a_join_is_held_when_that_brought_something_unanswered(
    maya: Any, bob: Any, mailbox: Any, ana: Any, sam: Any, at: str
) -> None:
    first, second = make.says(maya, mailbox, "Maya asks"), make.says(bob, mailbox, "Bob asks")
    writer, brought = (maya, second) if at == "the older case" else (bob, first)
    mine = make.says(writer, mailbox, "one more thing")
    assert mine.case
    about: dict[str, Any] = {"by": ana, "option_key": outbox.options(mine.case)[0].key, "text": "to what I saw"}
    merging.join(maya, bob, by=sam)
    with pytest.raises(outbox.ReplyHeld) as held:
        outbox.reply(mine.case, seen_entry=mine.pk, **about)
    *newer, joined = held.value.newer
    assert (newer, joined.event) == ([brought], "joined")
    assert fresh(brought).is_open
    outbox.reply(mine.case, seen_entry=joined.pk, **about)


def test_a_reply_begun_after_a_join_is_not_held(
    maya: Any, bob: Any, mailbox: Any, ana: Any, sam: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "Maya asks")
    make.says(bob, mailbox, "Bob asks")
    merging.join(maya, bob, by=sam)
    case = Case.objects.live().get()
    page = browser_of(ana).get(f"/inbox/open/c/{case.pk}/")
    way = outbox.options(case)[0]
    outbox.reply(case, by=ana, option_key=way.key, text="to both", seen_entry=page.context["composer"].newest)


def test_a_hint_at_somebody_is_gone_once_they_are_the_same_person(
    maya: Any, mailbox: Any, account: Any, ana: Any, sue: Any, browser_of: Any
) -> None:
    browser = browser_of(sue)
    said = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "stranger"), account, "my mail is maya@ortiz.test").case
    assert said
    make.says(maya, mailbox, "hi")
    assert mentions(said, browser) == [maya]
    merge = merging.join(said.customer, maya, by=ana)
    assert mentions(fresh(said).current(), browser) == []
    merging.undo(merge, by=ana)
    assert mentions(said, browser) == [maya]


def test_a_hint_at_somebody_who_was_joined_since_names_who_they_are_today(
    maya: Any, bob: Any, mailbox: Any, account: Any, ana: Any, browser_of: Any
) -> None:
    said = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "stranger"), account, "my mail is maya@ortiz.test").case
    assert said
    make.says(bob, mailbox, "hi")
    merging.join(bob, maya, by=ana)
    assert mentions(said, browser_of(ana)) == [bob]


def test_a_hint_that_was_written_again_is_one_hint(mailbox: Any, number: Any, ana: Any, browser_of: Any) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    make.says(bob, mailbox, "Order #48213 is late")
    case = make.says(make.customer("Cleo Marsh", phone="+14155550166"), number, "order #48213 is late").case
    assert case
    make.says(case.customer, number, "order #48213, still late")
    assert mentions(case, browser_of(ana)) == [bob]


def mentions(case: Case, browser: Any) -> list[Any]:
    return [each.customer for each in browser.get(f"/inbox/open/c/{case.pk}/").context["panel"].mentions]


def test_a_code_that_proves_it_needs_no_agent(maya: Any, bob: Any, mailbox: Any, number: Any) -> None:
    make.says(maya, mailbox, "mail")
    entry = make.says(bob, number, "my code")
    merge = merging.join_locked(maya, bob, by=None, reason="wrote the code", proven=entry.identity, entry=entry.uuid)
    link = bob.links.model.objects.get(identity=entry.identity, revoked_at=None)
    assert (merge.by, link.reason, link.entry_uuid, link.words) == (None, "code", entry.uuid, "wrote the code")
    assert Case.objects.live().get().timeline().filter(event="joined").get().author == ""
