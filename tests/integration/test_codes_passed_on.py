"""A code in other hands than those it was given to: asked about, and nothing shown, nobody joined before a yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Echo, Sender
from connectors.models import Connector
from customers.models import Customer, Identity, IdentityLink
from inbox import codes, inviting, merging, outbox
from inbox.intake import invited, outside
from inbox.models import Case, Delivery, Entry, Invitation, Merge, Participant, WrongCode
from inbox.outbox.composing import compose
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = Sender("+14155550177", "", "")


@pytest.fixture
def case(maya: Any, mailbox: Connector) -> Case:
    case = make.says(maya, mailbox, "Where is my parcel?").case
    assert case
    return case


@pytest.fixture
def code(case: Case, number: Connector, ana: Any) -> str:
    """Ana told Maya by mail that she may go on by SMS, and the mail has left."""
    code = make.code_from(ana, case, number)
    Delivery.objects.update(state="sent")
    return code


@pytest.fixture
def jon() -> Customer:
    return make.customer("Jon Hale", phone="+14155550188", email="jon@hale.test")


@pytest.fixture
def asked(code: str, jon: Customer, number: Connector) -> Delivery:
    """Jon, whom we know, wrote the code: the question to Maya, which has left."""
    make.says(jon, number, f"Maya says I should send {code}")
    question = Delivery.objects.latest("pk")
    Delivery.objects.update(state="sent")
    return question


def person_of(value: str) -> Customer:
    return Identity.objects.get(value=value).customer.current()


# The question


def test_a_code_that_was_passed_on_shows_nothing_and_asks_who_was_told(
    asked: Delivery, case: Case, jon: Customer, maya: Any
) -> None:
    said = Entry.objects.get(identity__customer=jon, kind="message")
    assert said.case != case
    assert said.remark == "Wrote a code that was given to somebody else. That person is asked."
    assert asked.identity == maya.identities.get(kind="email")
    assert asked.text.startswith("Your code was used from another address (SMS). If that was you, answer YES.")
    assert asked.entry.case == case
    assert (
        Case.objects.get(pk=case.pk).first_reply_at == Entry.objects.get(kind="reply", agent__isnull=False).created_at
    )


@pytest.mark.parametrize("words", [" yes ", "YES!", "Ja\n\n> Your code was used from …", "yes it was me"])
def test_a_yes_from_who_was_told_joins_them(
    asked: Delivery, jon: Customer, maya: Any, mailbox: Connector, number: Connector, words: str
) -> None:
    make.says(jon, number, "YES")
    assert Customer.objects.get(pk=jon.pk).merged_into is None
    make.says(maya, mailbox, words)
    assert Customer.objects.get(pk=jon.pk).current() == maya
    assert Invitation.objects.get().used_by == Identity.objects.get(value="+14155550188")


def test_neither_the_question_nor_the_yes_names_who_wrote_the_code(
    code: str, case: Case, maya: Any, jon: Customer, mailbox: Connector
) -> None:
    make.says(Sender("jon@hale.test"), mailbox, f"Maya says I should send {code}")
    Delivery.objects.update(state="sent")
    yes = make.says(maya, mailbox, "YES")
    assert yes.remark == "Confirmed that it was they who wrote the code"
    assert Customer.objects.get(pk=jon.pk).current() == maya
    told = Entry.objects.filter(case=case)
    assert not [each for each in told if "hale" in f"{each.text} {each.remark}" and each.event != "joined"]


def test_a_yes_proves_the_address_that_wrote_the_code_and_no_other_of_theirs(
    asked: Delivery, maya: Any, mailbox: Connector
) -> None:
    make.says(maya, mailbox, "yes")
    links = {link.identity.value: link.assurance for link in IdentityLink.objects.active()}
    assert links["+14155550188"] == "proven"
    assert links["jon@hale.test"] == "claimed"


@pytest.mark.parametrize("words", ["no, who is that?", "Yes, my parcel is still missing", "Who? yes"])
def test_any_other_answer_changes_nothing(
    asked: Delivery, jon: Customer, maya: Any, mailbox: Connector, words: str
) -> None:
    make.says(maya, mailbox, words)
    assert Customer.objects.get(pk=jon.pk).merged_into is None


def test_a_yes_to_what_was_asked_after_our_question_is_no_yes_to_it(
    asked: Delivery, case: Case, jon: Customer, maya: Any, mailbox: Connector, ana: Any
) -> None:
    make.answers(ana, case, "Shall I send a new one?")
    make.says(maya, mailbox, "Yes")
    assert Customer.objects.get(pk=jon.pk).merged_into is None


def test_a_yes_of_a_sender_nobody_vouches_for_does_not_count(
    asked: Delivery, jon: Customer, maya: Any, mailbox: Connector
) -> None:
    mailbox.options = {}
    mailbox.save()
    make.says(maya, mailbox, "YES", authenticity="unknown")
    assert Customer.objects.get(pk=jon.pk).merged_into is None


def test_a_yes_before_the_question_left_is_about_something_else(
    code: str, jon: Customer, maya: Any, mailbox: Connector, number: Connector
) -> None:
    make.says(jon, number, code)
    assert Delivery.objects.latest("pk").state == "queued"
    make.says(maya, mailbox, "yes")
    assert Customer.objects.get(pk=jon.pk).merged_into is None


def test_where_no_question_can_be_sent_the_agent_reads_so_and_a_yes_joins_nobody(
    jon: Customer, maya: Any, account: Connector, number: Connector, ana: Any
) -> None:
    case = make.says(maya, account, "hi").case
    assert case
    code = make.code_from(ana, case, number)
    Identity.objects.filter(kind="instagram").update(last_inbound_at=now() - timedelta(days=2))
    entry = make.says(jon, number, code)
    assert entry.remark.endswith("That person could not be asked.")
    make.says(maya, account, "yes")
    assert Customer.objects.get(pk=jon.pk).merged_into is None


def test_who_is_asked_is_who_was_told_and_only_once(
    asked: Delivery, case: Case, code: str, jon: Customer, number: Connector, mailbox: Connector
) -> None:
    make.says(jon, number, f"again: {code}")
    assert Delivery.objects.filter(text__contains="answer YES").count() == 1


# Whoever may be somebody else is not joined without a yes


def test_a_friend_who_wrote_to_us_before_stays_a_person_of_their_own(code: str, number: Connector) -> None:
    friend = Sender("+14155550186", "", "")
    make.says(friend, number, "I'm Jon Hale, order #99887 is late")
    before = person_of(friend.address)
    make.says(friend, number, f"Maya says I should send {code}")
    assert person_of(friend.address) == before


def test_somebody_with_another_name_is_asked_about(code: str, maya: Any, number: Connector) -> None:
    make.says(Sender("+14155550185", "", "Gertrude Nobody"), number, code)
    assert person_of("+14155550185") != maya


def test_a_code_on_another_channel_than_the_one_they_were_asked_to_is_asked_about(
    code: str, maya: Any, mailbox: Connector
) -> None:
    """The mail was forwarded to a colleague, who writes to us by mail with it in the text."""
    make.says(Sender("boss@corp.test", "", "Boss"), mailbox, f"Fwd: what do they want from you? {code}")
    assert person_of("boss@corp.test") != maya


def test_a_shared_line_is_never_made_one_persons(code: str, maya: Any, number: Connector) -> None:
    make.says(STRANGER, number, "this is the office")
    Identity.objects.filter(value=STRANGER.address).update(is_shared=True)
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) != maya


def test_two_people_an_agent_took_apart_stay_apart(
    case: Case, code: str, maya: Any, number: Connector, ana: Any
) -> None:
    second = make.code_from(ana, case, number)
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) == maya
    make.says(STRANGER, number, "hello")
    merging.undo(Merge.objects.get(), by=ana)
    make.says(STRANGER, number, second)
    assert person_of(STRANGER.address) != maya


def test_a_code_told_to_one_of_two_who_were_wrongly_one_person_carries_that_one(
    maya: Any, account: Connector, number: Connector, ana: Any
) -> None:
    told = make.says(Sender("777001", account.address, "Jon"), account, "hi, order #77777").case
    assert told
    jon = told.customer
    merging.join(maya, jon, by=ana)
    code = make.code_from(ana, told, number)
    merging.undo(Merge.objects.get(), by=ana)
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) == person_of("777001") == jon


def test_a_code_makes_nobody_surer_than_the_address_it_was_told_to(
    maya: Any, mailbox: Connector, account: Connector, number: Connector, ana: Any
) -> None:
    make.says(maya, mailbox, "hello")
    stranger = make.says(Sender("777001", account.address, "m.o."), account, "hi, it's me").case
    assert stranger
    merging.join(maya, stranger.customer, by=ana)
    whole = Case.objects.get(pk=stranger.pk).current()
    code = make.code_from(ana, whole, number, channel="instagram")
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) == maya, "whoever reads the one reads the other"
    links = {link.identity.value: link.assurance for link in IdentityLink.objects.active()}
    assert (links["777001"], links[STRANGER.address]) == ("claimed", "claimed")


# Codes nobody meant to send


@pytest.mark.parametrize("kind", ["automatic", "bulk", "spam"])
def test_a_machine_that_quotes_a_code_is_nobody(case: Case, maya: Any, mailbox: Connector, ana: Any, kind: str) -> None:
    code = make.code_from(ana, case, mailbox)
    make.says(Sender("robot@corp.test", "", ""), mailbox, f"Ticket created: {code}", classification=kind)
    assert person_of("robot@corp.test") != maya
    assert Invitation.objects.open().exists()


def test_a_mail_nobody_vouches_for_uses_no_code_up(case: Case, maya: Any, mailbox: Connector, ana: Any) -> None:
    mailbox.options = {}
    mailbox.save()
    victim = make.says(Sender("vic@bank.test", "", "Vic"), mailbox, "order #11111", authenticity="unknown").case
    assert victim
    code = make.code_from(ana, case, mailbox)
    entry = make.says(Sender("vic@bank.test", "", "Vic"), mailbox, code, authenticity="unknown")
    assert Customer.objects.get(pk=victim.customer_id).merged_into is None
    assert entry.remark == invited.UNPROVEN
    assert Invitation.objects.open().exists()


def test_a_blocked_sender_cannot_use_a_code(code: str, maya: Any, number: Connector) -> None:
    make.says(STRANGER, number, "buy")
    Identity.objects.filter(value=STRANGER.address).update(blocked_at=now())
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) != maya


def test_somebody_copied_into_the_mail_with_the_code_does_not_become_the_customer(
    maya: Any, mailbox: Connector, number: Connector, ana: Any
) -> None:
    friend = Sender("jon@hale.test", "", "Jon")
    case = make.says(maya, mailbox, "hi", cc=[friend]).case
    assert case
    code = make.code_from(ana, case, mailbox, copied=[Participant.objects.get().pk])
    make.says(friend, mailbox, f"You wrote: take this {code}", reply_tokens=[Case.objects.get(pk=case.pk).reply_token])
    assert person_of("jon@hale.test") != maya


def test_whoever_goes_on_by_mail_is_not_copied_into_what_they_get(
    maya: Any, mailbox: Connector, number: Connector, ana: Any
) -> None:
    case = make.says(maya, number, "hi").case
    assert case
    code = make.code_from(ana, case, mailbox)
    make.says(Sender("m2@x.test", "", ""), mailbox, code, cc=[Sender("jon@hale.test", "", "Jon")])
    assert set(Participant.objects.values_list("identity__value", flat=True)) == {"jon@hale.test"}


def test_a_thousand_wrong_codes_in_an_hour_make_every_code_a_question(code: str, maya: Any, number: Connector) -> None:
    make.says(Sender("+14155550187", "", ""), number, "hello")
    guesser = Identity.objects.get(value="+14155550187")
    WrongCode.objects.bulk_create([WrongCode(identity=guesser) for _ in range(invited.MOST_WRONG_OF_ALL)])
    entry = make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) != maya
    assert "That person is asked" in entry.remark


# Our side


def test_a_code_is_told_once(case: Case, maya: Any, account: Connector, number: Connector, ana: Any) -> None:
    words = inviting.invite(case, number, by=ana)
    make.answers(ana, case, words)
    with pytest.raises(outbox.BadReply, match="was told before"):
        make.answers(ana, case, words)


def test_a_code_that_did_not_arrive_may_be_told_again(case: Case, number: Connector, ana: Any) -> None:
    words = inviting.invite(case, number, by=ana)
    reply = make.answers(ana, case, words)
    reply.deliveries.update(state="failed")
    again = make.answers(ana, case, words)
    assert Invitation.objects.open().get().told_in == again


def test_a_used_code_is_never_told_again(case: Case, number: Connector, ana: Any) -> None:
    words = inviting.invite(case, number, by=ana)
    reply = make.answers(ana, case, words)
    reply.deliveries.update(state="failed")
    make.says(STRANGER, number, make.code_in(reply))
    with pytest.raises(outbox.BadReply, match="was told before"):
        make.answers(ana, case, words, channel="email")


def test_a_code_is_never_cut_in_two_by_the_length_of_a_message(
    maya: Any, account: Connector, number: Connector, ana: Any
) -> None:
    case = make.says(maya, account, "hi").case
    assert case
    mark = codes.MARKS.search(inviting.invite(case, number, by=ana))
    assert mark
    held = 0
    for length in range(300, 335):
        text = f"{'あ' * length}。{mark[0]}。{'あ' * 20}"
        parts = ADAPTERS[Channel.INSTAGRAM].limits.split(text)
        if any(mark[0] in part for part in parts):
            reply = make.answers(ana, case, text)
            assert any(codes.written_in(compose(part).text) for part in reply.deliveries.all()), length
            reply.deliveries.update(state="failed")
        else:
            held += 1
            with pytest.raises(outbox.BadReply, match="cut in two"):
                make.answers(ana, case, text)
    assert held


def test_the_echo_of_a_code_is_no_reply_of_somebody_else(
    maya: Any, account: Connector, number: Connector, ana: Any
) -> None:
    """Instagram says what left before it answers us: the code must not be stored by that way."""
    case = make.says(maya, account, "hi").case
    assert case
    reply = make.answers(ana, case, inviting.invite(case, number, by=ana))
    delivery = reply.deliveries.get()
    Delivery.objects.update(state="unknown", attempts=1, claimed_at=now(), changed_at=now())
    outside.echo(
        account,
        Echo(
            provider_id="echo-1",
            recipient=Sender("1002003004005001", account.address),
            account_address=account.address,
            text=compose(delivery).text,
            sent_at=now(),
        ),
    )
    assert Entry.objects.filter(kind="reply").count() == 1
    assert not any(codes.written_in(text) for text in Entry.objects.values_list("text", flat=True))
