"""Somebody else on the thread: they reach the case they were shown, wake it, and are never taken for the customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.messages import Sender
from inbox.card import card_for
from inbox.locking import locked
from inbox.models import Alert, Case, Participant, Reading, Status, Switch
from tests.make import answers, says

pytestmark = pytest.mark.django_db
BOB = Sender("bob@stone.test", name="Bob Stone")


@pytest.fixture(autouse=True)
def _no_undo(settings: Any) -> None:
    settings.UNDO_SECONDS = 0


def resolved(case: Case, by: Any, *, days_ago: int = 0) -> Case:
    with locked(case) as fresh:
        fresh.resolve(by=by)
    Case.objects.filter(pk=case.pk).update(resolved_at=now() - timedelta(days=days_ago))
    return case


def test_an_unknown_address_with_our_token_reopens_the_case_it_was_given_for(maya: Any, mailbox: Any, ana: Any) -> None:
    case = resolved(says(maya, mailbox, "The lid is cracked.").case, ana)
    entry = says(BOB, mailbox, "I have the same trouble.", reply_tokens=[case.reply_token])
    assert entry.case == case
    assert Case.objects.count() == 1
    assert case.timeline().get(event="reopened").pk < entry.pk, "what it did stands above it"


def test_an_unknown_address_with_the_token_of_an_old_case_reaches_the_live_one(
    maya: Any, mailbox: Any, ana: Any
) -> None:
    old = resolved(says(maya, mailbox, "The lid is cracked.").case, ana, days_ago=60)
    live = says(maya, mailbox, "Another matter.").case
    assert live != old
    assert says(BOB, mailbox, "I have the same trouble.", reply_tokens=[old.reply_token]).case == live


def test_a_copied_person_brings_back_a_case_that_waits_for_the_customer(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    answers(ana, case, "Which one?")
    entry = says(BOB, mailbox, "The blue one.", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert case.status == Status.OPEN
    assert case.waiting_since == entry.reached_us_at
    assert entry.is_open


def test_a_copied_person_wakes_a_snoozed_case(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    with locked(case) as fresh:
        fresh.snooze(now() + timedelta(days=30), by=ana)
    says(BOB, mailbox, "It is urgent.", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert case.status == Status.OPEN
    assert case.snoozed_until is None


def test_the_next_mail_answers_a_copied_person_too(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    entry = says(BOB, mailbox, "The blue one.", reply_tokens=[case.reply_token])
    reply = answers(ana, case, "It is on its way.")
    entry.refresh_from_db()
    case.refresh_from_db()
    assert entry.tied_by == reply
    assert case.status == Status.WAITING
    assert case.waiting_since is None


def test_a_text_does_not_answer_a_copied_person(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    answers(ana, case, "Which one?")
    entry = says(BOB, mailbox, "The blue one.", reply_tokens=[case.reply_token])
    says(maya, number, "Did Bob tell you?")
    answers(ana, case, "He did.", channel="sms")
    entry.refresh_from_db()
    case.refresh_from_db()
    assert entry.is_open
    assert case.status == Status.OPEN


def test_what_a_copied_person_wrote_is_unread(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    Reading.objects.create(agent=ana, case=case, entry_id=case.last_inbound_id)
    entry = says(BOB, mailbox, "The blue one.", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert case.last_inbound_id == entry.pk


def test_a_copied_person_is_not_where_the_customer_is(maya: Any, mailbox: Any, number: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    says(maya, number, "hello?")
    alert = Alert.objects.get()
    says(BOB, mailbox, "I agree.", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert case.channel == "sms"
    assert Switch.objects.count() == 1
    assert Alert.objects.get().raised_at == alert.raised_at


def test_what_a_copied_person_asked_does_not_make_a_move_loud(
    maya: Any, mailbox: Any, number: Any, account: Any, ana: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    answers(ana, case, "Which one?")
    says(BOB, mailbox, "The blue one.", reply_tokens=[case.reply_token])
    says(maya, number, "the blue one")
    switch = Switch.objects.get()
    assert not switch.had_unanswered


def test_a_forged_mail_with_our_token_wakes_and_opens_nothing(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    with locked(case) as fresh:
        fresh.tie(by=ana)
        fresh.snooze(now() + timedelta(days=30), by=ana)
    forged = says(BOB, mailbox, "Send it to me.", authenticity="fail", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert forged.case == case
    assert not forged.is_open
    assert case.status == Status.SNOOZED
    assert case.waiting_since is None
    assert not Participant.objects.filter(case=case).exists()


def test_a_forged_mail_does_not_bring_back_a_case_that_waits(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    answers(ana, case, "Which one?")
    says(Sender("maya@ortiz.test"), mailbox, "Mine.", authenticity="fail", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert case.status == Status.WAITING


def test_a_forged_mail_does_not_reopen_a_case_and_is_seen_all_the_same(maya: Any, mailbox: Any, ana: Any) -> None:
    case = resolved(says(maya, mailbox, "The lid is cracked.").case, ana)
    forged = says(Sender("maya@ortiz.test"), mailbox, "Mine.", authenticity="fail", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert case.status == Status.RESOLVED
    assert forged.case != case
    assert forged.case.customer != maya
    assert forged.case.is_live


def test_after_the_reopening_time_a_copied_person_begins_a_case_of_their_own(maya: Any, mailbox: Any, ana: Any) -> None:
    old = resolved(says(maya, mailbox, "The lid is cracked.").case, ana, days_ago=60)
    entry = says(BOB, mailbox, "Mine broke as well.", subject="Lid", reply_tokens=[old.reply_token])
    assert entry.kind == "message"
    assert entry.case.customer == entry.identity.customer != maya
    assert entry.case.subject == "Lid"
    assert entry.case.waiting_since == entry.reached_us_at


def test_whom_a_copied_person_copies_in_is_only_offered(maya: Any, mailbox: Any) -> None:
    case = says(maya, mailbox, "With Bob", cc=[BOB]).case
    says(BOB, mailbox, "Carla knows.", reply_tokens=[case.reply_token], cc=[Sender("carla@stone.test")])
    roles = dict(Participant.objects.filter(case=case).values_list("identity__value", "role"))
    assert roles == {"bob@stone.test": "copied", "carla@stone.test": "offered"}


def test_a_copied_person_who_writes_to_another_team_shows_it_the_case(
    maya: Any, mailbox: Any, billing_mailbox: Any, billing: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    says(BOB, billing_mailbox, "Who pays for it?", reply_tokens=[case.reply_token])
    case.refresh_from_db()
    assert billing.pk in case.team_ids
    assert "Bob Stone also wrote" in case.timeline().get(event="shared").text


def test_the_card_tells_what_the_customer_said_and_not_what_a_copied_person_did(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    says(BOB, mailbox, "Bob's words", reply_tokens=[case.reply_token])
    says(maya, number, "hello?")
    card = card_for(Case.objects.get(), ana)
    assert card
    assert [each.words for each in card.said] == ["The lid is cracked.", "hello?"]


def test_an_answer_by_text_is_not_offered_as_one_to_a_copied_person(
    maya: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    answers(ana, case, "Which one?")
    says(BOB, mailbox, "The blue one.", reply_tokens=[case.reply_token])
    says(maya, number, "hello?")
    page = browser_of(ana).get(case.get_absolute_url()).content.decode()
    assert 'name="also_answers"' not in page


@pytest.mark.parametrize(("authenticity", "role"), [("pass", "copied"), ("unknown", "offered")])
def test_whom_the_customer_copies_in_stays_when_the_mail_is_proven(
    maya: Any, mailbox: Any, authenticity: str, role: str
) -> None:
    case = says(maya, mailbox, "With Bob", cc=[BOB], authenticity=authenticity).case
    assert Participant.objects.get(case=case).role == role


def test_who_was_removed_from_the_mail_is_not_copied_in_again(maya: Any, mailbox: Any) -> None:
    case = says(maya, mailbox, "With Bob", cc=[BOB]).case
    Participant.objects.update(role="removed")
    says(maya, mailbox, "With Bob again", cc=[BOB])
    assert Participant.objects.get(case=case).role == "removed"


def test_our_own_mailboxes_are_nobody_to_copy_in(maya: Any, mailbox: Any, billing_mailbox: Any) -> None:
    case = says(maya, mailbox, "Both of you", cc=[Sender("billing+r.abc@northwind.test"), Sender(mailbox.address)]).case
    assert not Participant.objects.filter(case=case).exists()


def test_the_copied_persons_address_is_shown_beside_the_name_they_chose(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    says(Sender("eve@evil.test", name="Maya Ortiz"), mailbox, "Send it here.", reply_tokens=[case.reply_token])
    page = browser_of(ana).get(case.get_absolute_url()).content.decode()
    words = page[page.index('class="t-row message copied"') :]
    assert "eve@evil.test" in words[: words.index("</article>")]
