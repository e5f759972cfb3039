""" "This is the same person" taken back: each has again what was theirs, whoever wrote first."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from connectors.messages import Sender
from customers.models import Customer, Identity
from inbox import merging, outbox
from inbox.card import card_for, told
from inbox.locking import locked
from inbox.models import Alert, Case, Draft, Entry, Merge, Participant, Status
from tests import make

MAYA, BOB, BOBS_PHONE = Sender("maya@ortiz.test"), Sender("bob@stone.test"), Sender("+14155550199")


@pytest.fixture
def bob(db: None) -> Any:
    return make.customer("Bob Stone", email="bob@stone.test", phone="+14155550199")


@pytest.fixture
def carla(db: None) -> Any:
    return make.customer("Carla Diaz", email="carla@diaz.test")


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def texts(case: Case) -> list[str]:
    return [entry.text for entry in Case.objects.get(pk=case.pk).timeline().filter(kind="message").order_by("pk")]


@pytest.mark.parametrize("first", ["survivor", "absorbed"])
def test_two_live_cases_part_as_they_were_whichever_is_older(
    ana: Any, maya: Any, bob: Any, mailbox: Any, number: Any, first: str
) -> None:
    writing = [lambda: make.says(maya, mailbox, "mail"), lambda: make.says(bob, number, "text")]
    entries = [write() for write in (writing if first == "survivor" else writing[::-1])]
    cases = {entry.text: entry.case for entry in entries}
    merge = merging.join(maya, bob, by=ana)
    make.says(BOBS_PHONE, number, "a later text")
    make.says(MAYA, mailbox, "a later mail")
    assert len(Case.objects.live()) == 1
    merging.undo(merge, by=ana)
    mails, written = fresh(cases["mail"]), fresh(cases["text"])
    assert (mails.customer, written.customer) == (maya, bob)
    assert mails.is_live
    assert written.is_live
    assert texts(mails) == ["mail", "a later mail"]
    assert texts(written) == ["text", "a later text"]
    assert (mails.channels, written.channels) == (["email"], ["sms"])
    assert (mails.preview, written.preview) == ("a later mail", "a later text")


def test_what_the_survivor_wrote_into_the_other_ones_case_goes_home(
    maya: Any, bob: Any, mailbox: Any, ana: Any
) -> None:
    theirs = make.says(bob, mailbox, "Bob's words")
    merge = merging.join(maya, bob, by=ana)
    hers = make.says(MAYA, mailbox, "Maya's words")
    merging.undo(merge, by=ana)
    assert fresh(hers).case.customer == maya
    assert fresh(theirs).case.customer == bob


def test_a_case_begun_after_the_join_goes_to_whoever_spoke_in_it(maya: Any, bob: Any, mailbox: Any, ana: Any) -> None:
    old = make.says(bob, mailbox, "Bob's words")
    merge = merging.join(maya, bob, by=ana)
    with locked(old.case) as case:
        case.resolve(by=ana)
    Case.objects.update(resolved_at=now() - timedelta(days=30))
    late = make.says(BOB, mailbox, "Bob again, a month later")
    assert late.case_id != old.case_id
    merging.undo(merge, by=ana)
    assert fresh(late.case).customer == bob


def test_a_later_message_shows_its_own_author_again(maya: Any, bob: Any, number: Any, mailbox: Any, ana: Any) -> None:
    make.says(maya, mailbox, "mail")
    merge = merging.join(maya, bob, by=ana)
    late = make.says(BOBS_PHONE, number, "text")
    merging.undo(merge, by=ana)
    assert fresh(late).author == "Bob Stone"


def test_nested_joins_undone_from_the_inside_give_addresses_back(maya: Any, bob: Any, carla: Any, ana: Any) -> None:
    inner, outer = merging.join(maya, bob, by=ana), merging.join(carla, maya, by=ana)
    merging.undo(inner, by=ana)
    merging.undo(outer, by=ana)
    owners = dict(Identity.objects.values_list("value", "customer"))
    assert owners["bob@stone.test"] == bob.pk
    assert owners["maya@ortiz.test"] == maya.pk


def test_who_left_an_inner_join_and_was_joined_elsewhere_stays_there(maya: Any, bob: Any, carla: Any, ana: Any) -> None:
    inner, outer = merging.join(maya, bob, by=ana), merging.join(carla, maya, by=ana)
    merging.undo(inner, by=ana)
    merging.join(carla, bob, by=ana)
    merging.undo(outer, by=ana)
    assert Identity.objects.get(value="bob@stone.test").customer == carla


def test_a_join_inside_another_is_taken_back_first_or_last(
    maya: Any, bob: Any, carla: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    for person, connector in [(carla, mailbox), (maya, mailbox), (bob, number)]:
        make.says(person, connector, f"{person.name} asks")
    inner, outer = merging.join(maya, bob, by=ana), merging.join(carla, maya, by=ana)
    merging.undo(inner, by=ana)
    assert sorted(case.customer.name for case in Case.objects.live()) == ["Bob Stone", "Carla Diaz"]
    merging.undo(outer, by=ana)
    assert sorted(case.customer.name for case in Case.objects.live()) == ["Bob Stone", "Carla Diaz", "Maya Ortiz"]


def test_the_case_that_is_left_forgets_a_wait_that_went_away(
    maya: Any, bob: Any, carla: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    for person in (carla, maya):
        make.answers(ana, make.says(person, mailbox, "hi").case, "ok")
    make.says(bob, number, "Bob waits")
    inner = merging.join(maya, bob, by=ana)
    merging.join(carla, maya, by=ana)
    root = Case.objects.live().get()
    assert root.waiting_since
    merging.undo(inner, by=ana)
    assert fresh(root).waiting_since is None
    assert fresh(root).status == Status.WAITING


def test_the_other_ones_order_numbers_and_copied_in_people_go_along(
    maya: Any, bob: Any, mailbox: Any, ana: Any
) -> None:
    hers = make.says(maya, mailbox, "hi")
    merge = merging.join(maya, bob, by=ana)
    make.says(BOB, mailbox, "my order #48213", cc=[Sender("boss@stone.test")])
    merging.undo(merge, by=ana)
    assert told(fresh(hers.case)) == []
    theirs = Case.objects.get(customer=bob)
    assert [each.label for each in told(theirs)] == ["Order #48213"]
    assert list(Participant.objects.values_list("case", flat=True)) == [theirs.pk]


def test_the_other_team_loses_sight_again(
    maya: Any, bob: Any, mailbox: Any, billing_mailbox: Any, ana: Any, lee: Any
) -> None:
    hers = make.says(maya, mailbox, "private to support")
    make.says(bob, billing_mailbox, "invoice")
    merge = merging.join(maya, bob, by=ana)
    assert Case.objects.visible_to(lee).filter(pk=hers.case_id).exists()
    merging.undo(merge, by=ana)
    assert not Case.objects.visible_to(lee).filter(pk=hers.case_id).exists()


def test_a_team_that_only_the_other_ones_later_mail_brought_loses_sight_again(
    maya: Any, bob: Any, mailbox: Any, billing_mailbox: Any, ana: Any, lee: Any
) -> None:
    hers = make.says(maya, mailbox, "private to support")
    merge = merging.join(maya, bob, by=ana)
    make.says(BOB, billing_mailbox, "invoice")
    assert Case.objects.visible_to(lee).filter(pk=hers.case_id).exists()
    merging.undo(merge, by=ana)
    assert list(Case.objects.visible_to(lee)) == [Case.objects.get(customer=bob)]


def test_a_move_from_the_one_to_the_other_never_was(maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any) -> None:
    hers = make.says(maya, mailbox, "hi")
    merge = merging.join(maya, bob, by=ana)
    make.says(BOBS_PHONE, number, "text")
    assert card_for(fresh(hers.case), ana)
    merging.undo(merge, by=ana)
    case = fresh(hers.case)
    assert card_for(case, ana) is None
    assert not case.shows_move
    assert (case.channel, case.previous_channel, case.moved_at) == ("email", "", None)
    assert not Alert.objects.open().exists()


def test_the_card_of_a_case_that_was_absorbed_comes_back_with_it(
    maya: Any, bob: Any, mailbox: Any, number: Any, account: Any, ana: Any
) -> None:
    for person, first, second in [(bob, mailbox, number), (maya, mailbox, account)]:
        make.says(person, first, "one")
        make.says(person, second, "two")
    merge = merging.join(bob, maya, by=ana)
    assert Alert.objects.open().count() == 1
    merging.undo(merge, by=ana)
    for case in Case.objects.live():
        card = card_for(case, ana)
        assert card
        assert card.switch.entry.identity.customer == case.customer  # type: ignore[union-attr]


def test_a_reply_to_the_one_is_no_answer_to_the_other(
    maya: Any, bob: Any, mailbox: Any, ana: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    hers = make.says(maya, mailbox, "Maya asks")
    merge = merging.join(maya, bob, by=ana)
    his = make.says(BOB, mailbox, "Bob asks")
    way = next(each for each in outbox.options(fresh(hers.case)) if each.identity.value == "maya@ortiz.test")
    outbox.reply(fresh(hers.case), by=ana, option_key=way.key, text="to Maya only", seen_entry=his.pk)
    assert not fresh(his).is_open
    merging.undo(merge, by=ana)
    assert fresh(his).is_open
    assert fresh(his).case.waiting_since == his.created_at
    assert fresh(his).case.status == Status.OPEN
    assert not fresh(hers).is_open
    assert fresh(hers.case).status == Status.WAITING


def test_who_has_it_and_how_long_it_sleeps_is_as_before(
    maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, sam: Any
) -> None:
    hers, his = make.says(maya, mailbox, "mail").case, make.says(bob, number, "text").case
    assert hers and his
    until = now() + timedelta(hours=1)
    with locked(hers) as case:
        case.snooze(until, by=ana)
    with locked(his) as case:
        case.assign(sam, by=sam)
    merge = merging.join(maya, bob, by=ana)
    assert (fresh(hers).status, fresh(hers).assignee) == (Status.OPEN, sam)
    merging.undo(merge, by=ana)
    assert (fresh(hers).assignee, fresh(his).assignee) == (None, sam)
    assert (fresh(hers).status, fresh(hers).snoozed_until) == (Status.SNOOZED, until)


def test_who_was_given_it_since_keeps_it(maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any, sam: Any) -> None:
    hers = make.says(maya, mailbox, "mail").case
    make.says(bob, number, "text")
    assert hers
    merge = merging.join(maya, bob, by=ana)
    with locked(hers) as case:
        case.assign(sam, by=ana)
    merging.undo(merge, by=ana)
    assert fresh(hers).assignee == sam


def test_what_was_resolved_since_stays_resolved(maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any) -> None:
    hers, his = make.says(maya, mailbox, "mail").case, make.says(bob, number, "text").case
    assert hers and his
    merge = merging.join(maya, bob, by=ana)
    with locked(hers) as case:
        case.resolve(by=ana)
    merging.undo(merge, by=ana)
    assert not Case.objects.live().exists()
    assert fresh(his).resolved_at == fresh(hers).resolved_at


def test_a_draft_that_came_along_goes_back(maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any) -> None:
    make.says(maya, mailbox, "mail")
    his = make.says(bob, number, "text").case
    Draft.objects.create(case=his, agent=ana, channel="sms", text="dear Bob")
    merge = merging.join(maya, bob, by=ana)
    merging.undo(merge, by=ana)
    assert Draft.objects.get().case == his


def test_names_are_as_before(bob: Any, number: Any, ana: Any) -> None:
    nameless = make.customer("", phone="+14155550142")
    Customer.objects.update(named_by_agent=False)
    merge = merging.join(nameless, bob, by=ana)
    assert fresh(nameless).name == "Bob Stone"
    merging.undo(merge, by=ana)
    assert (fresh(nameless).name, fresh(bob).name) == ("", "Bob Stone")


def test_an_address_is_linked_again_by_what_linked_it_before(maya: Any, bob: Any, ana: Any) -> None:
    merge = merging.join(maya, bob, by=ana)
    merging.undo(merge, by=ana)
    links = Identity.objects.get(value="bob@stone.test").links.order_by("pk")
    assert [(link.reason, link.customer, link.revoked_at is None) for link in links] == [
        ("imported", bob, False),
        ("joined", maya, False),
        ("imported", bob, True),
    ]


def test_an_answer_to_our_mail_of_the_time_together_is_not_taken_for_a_copied_in_persons(
    maya: Any, bob: Any, mailbox: Any, ana: Any, settings: Any
) -> None:
    hers = make.says(maya, mailbox, "Maya asks").case
    assert hers
    merge = merging.join(maya, bob, by=ana)
    make.says(BOB, mailbox, "Bob asks")
    merging.undo(merge, by=ana)
    back = make.says(BOB, mailbox, "thanks", reply_tokens=[hers.reply_token])
    assert back.case
    assert (back.kind, back.case.customer) == ("message", bob)


def test_taking_it_back_twice_at_once_happens_once(
    transactional_db: None, maya: Any, bob: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    make.says(maya, mailbox, "mail")
    make.says(bob, number, "text")
    merge = merging.join(maya, bob, by=ana)
    refused: list[str] = []

    def undo() -> None:
        try:
            merging.undo(Merge.objects.get(pk=merge.pk), by=ana)
        except merging.CannotJoin as error:
            refused.append(error.reason)
        finally:
            connection.close()

    both = [threading.Thread(target=undo) for _ in range(2)]
    with transaction.atomic():
        Customer.objects.locked([maya.pk, bob.pk])
        for each in both:
            each.start()
    for each in both:
        each.join()
    assert refused == ["This was undone before."]
    assert Entry.objects.filter(event="parted").count() == 2


def test_taken_back_while_the_survivor_is_joined_to_somebody_else(
    transactional_db: None, maya: Any, bob: Any, carla: Any, mailbox: Any, ana: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    his = make.says(bob, mailbox, "Bob's words")
    merge = merging.join(maya, bob, by=ana)
    lock, meanwhile = Customer.objects.locked, [True]

    def join_elsewhere() -> None:
        merging.join(carla, maya, by=ana)
        connection.close()

    def locked_late(ids: Any) -> Any:
        if meanwhile and meanwhile.pop():
            other = threading.Thread(target=join_elsewhere)
            other.start()
            other.join()
        return lock(ids)

    monkeypatch.setattr(Customer.objects, "locked", locked_late)
    merging.undo(merge, by=ana)
    assert fresh(his).case.customer == bob
    assert Identity.objects.get(value="bob@stone.test").customer == bob
