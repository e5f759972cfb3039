"""Joining people, moving messages and answering proposals around a case that only named people see."""

from __future__ import annotations

from typing import Any

import pytest

from inbox import merging, outbox, privacy, proposing, splitting
from inbox.models import Entry, Proposal
from tests import make

pytestmark = pytest.mark.django_db

SECRET = "diagnosis"


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def sees(agent: Any, case: Any) -> bool:
    return type(case).objects.visible_to(type(agent).objects.get(pk=agent.pk)).filter(pk=case.pk).exists()


@pytest.fixture
def hidden(maya: Any, mailbox: Any, ana: Any) -> Any:
    """Maya's, about her health; Ana alone is named."""
    found = make.says(maya, mailbox, f"My {SECRET} came", subject=f"About my {SECRET}").case
    privacy.hide(found, "health", [ana.pk], by=ana)
    return fresh(found)


@pytest.fixture
def bob(db: None) -> Any:
    return make.customer("Bob Stone", phone="+14155550188", email="bob@stone.test")


@pytest.fixture
def of_bob(bob: Any, number: Any, sam: Any) -> Any:
    """Bob's, which names Sam alone."""
    found = make.says(bob, number, "My rash is back").case
    privacy.hide(found, "health", [sam.pk], by=sam)
    return fresh(found)


# Who is not named


def test_nobody_reads_a_sensitive_case_by_joining_a_person_with_its_own(
    hidden: Any, of_bob: Any, sam: Any, browser_of: Any
) -> None:
    for one, other in ((hidden.customer, of_bob.customer), (of_bob.customer, hidden.customer)):
        with pytest.raises(merging.NotAllowed, match="only named people see"):
            merging.join(one, other, by=sam)
    assert not sees(sam, hidden)
    assert fresh(hidden).named_ids != fresh(of_bob).named_ids
    answer = browser_of(sam).post(f"/customers/{of_bob.customer_id}/same/{hidden.customer_id}/join/")
    assert answer.status_code in (403, 404, 422)


def test_nobody_reads_a_sensitive_case_by_handing_a_message_to_its_person(
    hidden: Any, of_bob: Any, bob: Any, number: Any, sam: Any
) -> None:
    said = make.says(bob, number, "and it itches")
    with pytest.raises(splitting.CannotSplit, match="only named people see"):
        splitting.hand_over(fresh(of_bob), [said.pk], to=hidden.customer, by=sam)
    assert fresh(said).case == of_bob
    assert not sees(sam, hidden)


def test_a_code_that_joins_two_sensitive_cases_opens_neither_to_more_people(
    hidden: Any, of_bob: Any, ana: Any, sam: Any
) -> None:
    privacy.hide(hidden, "health", [ana.pk, sam.pk], by=ana)
    merging.join_locked(hidden.customer, of_bob.customer, by=None, reason="wrote the code")
    assert fresh(hidden).named_ids == fresh(of_bob).named_ids == [sam.pk]


@pytest.fixture
def split_by_sam(maya: Any, mailbox: Any, ana: Any, sam: Any) -> Any:
    """Maya's two matters, told apart by Sam; then Ana hid the second, and Sam is not named."""
    mail = make.says(maya, mailbox, "My lamp is broken")
    secret = make.says(maya, mailbox, f"My {SECRET} came")
    regrouping = splitting.split(mail.case, [secret.pk], by=sam)
    privacy.hide(fresh(secret).case, "health", [ana.pk], by=ana)
    return regrouping


def test_who_sees_only_one_side_takes_nothing_out_of_a_sensitive_case(
    split_by_sam: Any, sam: Any, browser_of: Any
) -> None:
    about = {"case": split_by_sam.from_case_id}
    assert browser_of(sam).post(f"/regroupings/{split_by_sam.pk}/undo/", about).status_code == 404
    assert fresh(split_by_sam).undone_at is None


def test_sensitive_words_that_go_back_stay_as_hidden_as_they_were(
    split_by_sam: Any, ana: Any, sam: Any, browser_of: Any
) -> None:
    about = {"case": split_by_sam.from_case_id}
    assert browser_of(ana).post(f"/regroupings/{split_by_sam.pk}/undo/", about).status_code == 200
    back = fresh(split_by_sam.from_case)
    assert (back.sensitive, back.named_ids) == ("health", [ana.pk])
    assert not sees(sam, back)


# Other ways in


def test_a_new_conversation_puts_no_words_into_a_case_that_is_closed_to_its_author(
    hidden: Any, mailbox: Any, sam: Any
) -> None:
    with pytest.raises(outbox.CannotSend, match="only named people see"):
        outbox.start(by=sam, connector=mailbox, address="maya@ortiz.test", text="Hello Maya", subject="Hello")
    assert not hidden.entries.filter(kind="reply").exists()
    assert fresh(hidden).waiting_since is not None


def test_the_customer_is_not_asked_in_a_case_that_is_closed_to_who_asks(
    hidden: Any, bob: Any, number: Any, sam: Any, ana: Any
) -> None:
    make.says(bob, number, "hello?")
    one, other = sorted([hidden.customer, bob], key=lambda each: each.pk)
    proposal = Proposal.objects.create(one=one, other=other, strength="possible")
    proposing.ask(proposal, by=sam)
    assert not hidden.entries.filter(kind="reply").exists()
    privacy.hide(bob.cases.get(), "health", [ana.pk], by=ana)
    with pytest.raises(proposing.CannotAsk):
        proposing.ask(proposal, by=sam)


# Joined, and told apart again


def test_what_a_join_hid_leaves_its_owner_and_others_lists_and_comes_back_when_it_is_taken_back(
    hidden: Any, bob: Any, number: Any, ana: Any, sam: Any, heard: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    ordinary = make.says(bob, number, "My lamp is broken").case
    ordinary.assign(sam, by=sam)
    heard.clear()
    with django_capture_on_commit_callbacks(execute=True):
        merge = merging.join(bob, hidden.customer, by=ana)
    assert fresh(hidden).assignee is None
    assert fresh(ordinary).named_ids == [ana.pk]
    assert not sees(sam, ordinary)
    assert [each["case"] for each in heard if each.get("but") == [ana.pk]] == [ordinary.pk]
    merging.undo(merge, by=ana)
    assert (fresh(ordinary).sensitive, fresh(ordinary).named_ids, fresh(ordinary).assignee) == ("", None, sam)
    assert sees(sam, ordinary)
    assert (fresh(hidden).sensitive, fresh(hidden).named_ids) == ("health", [ana.pk])


def test_a_note_written_meanwhile_stays_hidden_when_the_join_is_taken_back(
    bob: Any, number: Any, maya: Any, mailbox: Any, ana: Any, sam: Any
) -> None:
    ordinary = make.says(bob, number, "My lamp is broken").case
    secret = make.says(maya, mailbox, f"My {SECRET} came").case
    privacy.hide(secret, "health", [ana.pk], by=ana)
    merge = merging.join(bob, maya, by=ana)
    fresh(ordinary).record(Entry(kind="note", text=f"The {SECRET} is bad", author=ana.name, agent=ana))
    merging.undo(merge, by=ana)
    assert not sees(sam, ordinary)


# On screen


def test_the_page_of_a_person_counts_what_is_closed_and_shows_no_subject_of_it(
    split_by_sam: Any, ana: Any, sam: Any, browser_of: Any
) -> None:
    person = split_by_sam.from_case.customer_id
    page = browser_of(sam).get(f"/customers/{person}/").content.decode()
    assert "1 more case that you cannot see" in page
    assert "other teams" not in page
    matters = browser_of(ana).get(f"/inbox/open/c/{split_by_sam.from_case_id}/").content.decode()
    assert f'data-matter="{split_by_sam.to_case_id}" data-subject="Sensitive: health"' in matters
