"""Which case a mail belongs to: by what cannot be guessed, and by what the customer and those copied in may cite."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.messages import Sender
from inbox import merging
from inbox.locking import locked
from inbox.models import Case, Participant
from tests import make
from tests.integration.test_many_at_once import at_once, taken
from tests.make import answers, says

pytestmark = pytest.mark.django_db
BOB = Sender("bob@stone.test", name="Bob Stone")
EVE = Sender("eve@evil.test")


def test_the_message_id_of_a_customers_mail_opens_no_door_to_a_stranger(maya: Any, mailbox: Any) -> None:
    first = says(maya, mailbox, "The lid is cracked.")
    entry = says(EVE, mailbox, "Please send the refund to me.", references=[first.message_id])
    assert entry.kind == "message"
    assert entry.case != first.case
    assert entry.case.customer == entry.identity.customer


def test_somebody_copied_in_joins_by_the_message_id_of_the_customers_mail(maya: Any, mailbox: Any) -> None:
    first = says(maya, mailbox, "With Bob", cc=[BOB])
    assert says(BOB, mailbox, "I agree.", references=[first.message_id]).case == first.case


def test_somebody_copied_in_is_known_after_two_cases_became_one(maya: Any, mailbox: Any, ana: Any) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    elsewhere = says(jon, mailbox, "An older matter").case
    first = says(maya, mailbox, "With Bob", cc=[BOB])
    merging.join(jon, maya, by=ana)
    assert says(BOB, mailbox, "I agree.", references=[first.message_id]).case == elsewhere


def test_our_own_message_id_is_enough_for_anybody(maya: Any, mailbox: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    case = says(maya, mailbox, "The lid is cracked.").case
    reply = answers(ana, case, "Which one?")
    entry = says(BOB, mailbox, "Maya passed this on.", references=[reply.message_id])
    assert entry.case == case
    assert entry.kind == "participant"


def test_a_stranger_who_takes_the_customers_message_id_does_not_draw_the_customer_in(maya: Any, mailbox: Any) -> None:
    first = says(maya, mailbox, "The lid is cracked.")
    theirs = says(EVE, mailbox, "Mine now")
    theirs.message_id = first.message_id
    theirs.save()
    assert says(maya, mailbox, "And the box too.", references=[first.message_id]).case == first.case
    assert not Participant.objects.filter(case=theirs.case).exists()


def test_the_customer_reopens_the_case_they_answer_and_not_the_last_one(maya: Any, mailbox: Any, ana: Any) -> None:
    older = says(maya, mailbox, "The lid is cracked.").case
    with locked(older) as fresh:
        fresh.resolve(by=ana)
    Case.objects.update(resolved_at=now() - timedelta(days=20))
    newer = says(maya, mailbox, "Another matter.").case
    with locked(newer) as fresh:
        fresh.resolve(by=ana)
    Case.objects.filter(pk=older.pk).update(resolved_at=now() - timedelta(days=2))
    assert says(maya, mailbox, "Still cracked.", reply_tokens=[older.reply_token]).case == older


def test_a_case_that_was_split_off_is_reopened_by_its_token_beside_the_main_one(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    main = says(maya, mailbox, "The lid is cracked.").case
    apart = Case.objects.create(
        customer=maya, team=main.team, team_ids=main.team_ids, reply_token="a" * 32, split_off=True
    )
    assert says(maya, mailbox, "About the invoice", reply_tokens=[apart.reply_token]).case == apart
    with locked(apart) as fresh:
        fresh.resolve(by=ana)
    assert says(maya, number, "hello").case == main
    assert says(maya, mailbox, "The invoice again", reply_tokens=[apart.reply_token]).case == apart
    assert Case.objects.live().count() == 2


def test_the_case_of_a_joined_person_is_reopened_by_who_they_are_now(maya: Any, mailbox: Any, ana: Any) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    case = says(jon, mailbox, "The lid is cracked.").case
    with locked(case) as fresh:
        fresh.resolve(by=ana)
    merging.join(maya, jon, by=ana)
    assert says(Sender("maya@ortiz.test"), mailbox, "Still cracked.").case == case
    case.refresh_from_db()
    assert case.customer == maya


@pytest.mark.django_db(transaction=True)
def test_two_customers_on_each_others_threads_do_not_deadlock(maya: Any, mailbox: Any) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    cases = {each.pk: says(each, mailbox, "hello").case for each in [maya, jon]}
    items = []
    for turn in range(24):
        writer, other = [(maya, jon), (jon, maya)][turn % 2]
        thread = cases[(other if turn % 3 else writer).pk]
        items.append(make.message(writer, mailbox, f"mail {turn}", reply_tokens=[thread.reply_token]))
    outcomes = at_once([lambda item=item: taken(item, mailbox) for item in items])  # type: ignore[misc]
    assert {outcome["outcome"] for outcome in outcomes} == {"entry"}, outcomes
    for case in Case.objects.all():
        assert {each.kind for each in case.entries.filter(identity__customer=case.customer)} == {"message"}
        assert {each.kind for each in case.entries.exclude(identity__customer=case.customer)} == {"participant"}
