"""What was learned on one address is not told on another that may be somebody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from connectors.messages import Attachment as InboundFile
from connectors.messages import Sender
from customers.models import Identity, IdentityLink
from inbox import codes, merging, outbox
from inbox.models import Attachment, Case, Delivery, Entry, Invitation, Merge, Participant
from inbox.outbox.composing import compose
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
def case(maya: Any, mailbox: Any, account: Any, ana: Any) -> Case:
    """Maya told us her order by mail; an agent said that a stranger on Instagram is her too."""
    make.says(maya, mailbox, "My order is #48213. Call me at +1 415 555 2671.", subject="Order")
    stranger = make.says(Sender("777001", account.address, "m.o."), account, "hi, it's me").case
    assert stranger
    merging.join(maya, stranger.customer, by=ana)
    return Case.objects.get(pk=stranger.pk).current()


@pytest.fixture
def stranger(case: Case) -> Identity:
    return Identity.objects.get(value="777001")


def options_of(case: Case, identity: Identity) -> str:
    return next(way.key for way in outbox.options(case) if way.identity == identity)


def reply(ana: Any, case: Case, to: Identity, text: str, **about: Any) -> Entry:
    key = options_of(case, to)
    return outbox.reply(case, by=ana, option_key=key, text=text, seen_entry=make.newest_of(case.family()), **about)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Your order 48213 left today", "Order #48213"),
        ("We wrote to maya@ortiz.test", "their email address"),
        ("We will call (415) 555-2671", "their phone number"),
        ("Card 4111 1111 1111 1111 was charged", "a card number"),
    ],
)
def test_what_was_learned_elsewhere_is_held(case: Case, stranger: Any, ana: Any, text: str, what: str) -> None:
    with pytest.raises(outbox.WouldDisclose) as held:
        reply(ana, case, stranger, text)
    assert [each.what for each in held.value.held] == [what]
    assert not Delivery.objects.exists()


def test_a_reply_that_tells_nothing_goes(case: Case, stranger: Any, ana: Any) -> None:
    assert reply(ana, case, stranger, "Can you tell me your order number?")


def test_what_they_said_there_themselves_is_no_secret(case: Case, stranger: Any, account: Any, ana: Any) -> None:
    make.says(Sender("777001", account.address, "m.o."), account, "it is order #48213")
    assert reply(ana, case, stranger, "Your order 48213 left today")


def test_where_it_is_sure_nothing_is_held(case: Case, maya: Any, ana: Any) -> None:
    mail = maya.identities.get(kind="email")
    assert reply(ana, case, mail, "Your order 48213 left today")


def test_a_number_never_heard_from_is_not_told_the_order(case: Case, maya: Any, number: Any, ana: Any) -> None:
    phone = maya.identities.get(kind="phone")
    with pytest.raises(outbox.WouldDisclose):
        reply(ana, case, phone, "Your order 48213 left today", confirmed=True)


def test_a_file_of_theirs_from_elsewhere_is_held(
    case: Case, stranger: Any, maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    came = make.says(
        maya, mailbox, "the damage", files=[InboundFile("damage.png", content_type="image/png", content=PICTURE)]
    )
    assert came.attachments.get().sha256
    upload = SimpleUploadedFile("x.png", PICTURE, content_type="image/png")
    browser_of(ana).post(f"/cases/{case.pk}/draft/files/", {"channel": "instagram", "file": upload})
    mine = Attachment.objects.get(uploaded_by=ana)
    with pytest.raises(outbox.WouldDisclose) as held:
        reply(ana, case, stranger, "this one?", files=[mine.pk])
    assert held.value.held[0].found[0].what == "the file damage.png"


def test_sending_anyway_leaves_a_word_for_supervisors(case: Case, stranger: Any, ana: Any) -> None:
    reply(ana, case, stranger, "Your order 48213 left today", disclose=True)
    event = Entry.objects.get(event="disclosed")
    assert event.agent == ana
    assert "Order #48213" in event.text


def test_the_agent_reads_why_and_may_send_a_code_first(
    case: Case, stranger: Any, maya: Any, ana: Any, browser_of: Any
) -> None:
    page = browser_of(ana).post(
        f"/cases/{case.pk}/reply/",
        {
            "option": options_of(case, stranger),
            "text": "Order 48213",
            "seen": make.newest_of(case.family()),
        },
    )
    assert page.status_code == 409
    assert b"We are not sure that" in page.content
    assert b"Send a code to maya@ortiz.test first" in page.content

    sent = browser_of(ana).post(f"/cases/{case.pk}/invite/ask/", {"about": stranger.pk})
    assert sent.status_code == 200
    delivery = Delivery.objects.get()
    assert delivery.identity == maya.identities.get(kind="email")
    assert codes.written_in(compose(delivery).text) == codes.written_in(Invitation.objects.get().spelled)
    assert Case.objects.get(pk=case.pk).waiting_since, "a word that nobody typed answers nothing"


def test_a_number_that_was_silent_for_half_a_year_may_be_somebody_elses(
    case: Case, maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    phone = maya.identities.get(kind="phone")
    make.says(maya, number, "thanks!")
    assert IdentityLink.objects.active().get(identity=phone).assurance == "observed"
    with time_machine.travel(now() + timedelta(days=200)):
        make.says(maya, mailbox, "My order is #99120")
        assert IdentityLink.objects.active().get(identity__kind="email", identity__customer=maya).is_doubted
        make.says(maya, number, "hello?")
        link = IdentityLink.objects.active().get(identity=phone)
        assert link.assurance == "claimed"
        assert "changed hands" in link.why
        with pytest.raises(outbox.WouldDisclose):
            reply(ana, case, phone, "Your order 99120 left today")


def test_a_text_that_its_provider_signed_shows_who_wrote_and_proves_no_more(maya: Any, number: Any) -> None:
    make.says(maya, number, "hi", authenticity="pass")
    link = IdentityLink.objects.active().get(identity__kind="phone", identity__customer=maya)
    assert (link.assurance, link.why) == ("observed", "They wrote from it themselves.")


def test_a_mail_server_that_vouches_for_its_sender_proves_the_address(maya: Any, mailbox: Any) -> None:
    make.says(maya, mailbox, "hi")
    assert IdentityLink.objects.active().get(identity__kind="email", identity__customer=maya).assurance == "proven"


def test_it_does_not_matter_which_of_two_joined_people_goes_on(maya: Any, mailbox: Any, account: Any, ana: Any) -> None:
    """Whoever joins from the stranger's case makes the stranger the one who goes on."""
    make.says(maya, mailbox, "My order is #48213")
    entry = make.says(Sender("777001", account.address, "m.o."), account, "hi, it's me")
    assert entry.case
    assert entry.identity
    merging.join(entry.case.customer, maya, by=ana)
    case = Case.objects.get(pk=entry.case.pk).current()
    with pytest.raises(outbox.WouldDisclose) as held:
        reply(ana, case, entry.identity, "Your order 48213 left today")
    assert held.value.held[0].found[0].learned_on == Identity.objects.get(value="maya@ortiz.test")


def test_what_they_said_on_their_own_side_of_a_join_may_be_told_there(
    maya: Any, mailbox: Any, number: Any, account: Any, ana: Any
) -> None:
    make.says(maya, number, "hello")
    make.says(maya, mailbox, "My order is #48213")
    entry = make.says(Sender("777001", account.address, "m.o."), account, "hi, it's me")
    assert entry.case
    merging.join(entry.case.customer, maya, by=ana)
    assert reply(
        ana,
        Case.objects.get(pk=entry.case.pk).current(),
        Identity.objects.get(kind="phone"),
        "Your order 48213 left today",
    )


def test_a_code_returned_from_the_other_side_settles_a_whole_join(
    case: Case, stranger: Any, maya: Any, account: Any, ana: Any, browser_of: Any
) -> None:
    browser_of(ana).post(f"/cases/{case.pk}/invite/ask/", {"about": stranger.pk})
    code = codes.written_in(compose(Delivery.objects.get()).text)[0]
    make.says(Sender("777001", account.address, "m.o."), account, codes.spelled(code))
    assert reply(ana, case, stranger, "Your order 48213 left today")


def test_whoever_is_copied_in_is_not_told_what_was_said_on_another_channel(
    maya: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, number, "My order is #48213")
    case = make.says(maya, mailbox, "hello, order #77001 too", cc=[Sender("jon@hale.test", "", "Jon")]).case
    assert case
    jon = Participant.objects.get()
    assert reply(ana, case, maya.identities.get(kind="email"), "Order 77001 left", copied=[jon.pk])
    said = {"option": options_of(case, maya.identities.get(kind="email")), "seen": make.newest_of(case.family())}
    page = browser_of(ana).post(f"/cases/{case.pk}/reply/", {**said, "text": "Order 48213 left", "copied": [jon.pk]})
    assert page.status_code == 409
    assert "jon@hale.test is copied in and is not Maya." in page.content.decode()
    assert reply(ana, case, maya.identities.get(kind="email"), "Order 48213 left")


@pytest.fixture
def copied(maya: Any, mailbox: Any, number: Any) -> Any:
    """Maya texted her order; to a mail of hers Jon and Bea are copied in."""
    make.says(maya, number, "My order is #48213")
    people = [Sender("jon@hale.test", "", "Jon"), Sender("bea@hale.test", "", "Bea")]
    return make.says(maya, mailbox, "hello", cc=people).case


def sent_to_all(ana: Any, case: Any, maya: Any, text: str, **about: Any) -> Entry:
    people = list(Participant.objects.values_list("pk", flat=True))
    return reply(ana, case, maya.identities.get(value="maya@ortiz.test"), text, copied=people, **about)


def test_everybody_who_is_copied_in_is_named(copied: Any, maya: Any, ana: Any, browser_of: Any) -> None:
    said = {"option": options_of(copied, maya.identities.get(kind="email")), "seen": make.newest_of(copied.family())}
    people = list(Participant.objects.values_list("pk", flat=True))
    answer = browser_of(ana).post(f"/cases/{copied.pk}/reply/", {**said, "text": "Order 48213 left", "copied": people})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "bea@hale.test and jon@hale.test are copied in and are not Maya." in page
    assert page.count("Order #48213") == 1


def test_all_who_were_told_anyway_stand_in_the_timeline(copied: Any, maya: Any, ana: Any) -> None:
    sent_to_all(ana, copied, maya, "Order 48213 left", disclose=True)
    words = Entry.objects.get(event="disclosed").text
    assert "sent Order #48213 to bea@hale.test and jon@hale.test" in words


def test_an_address_of_hers_that_is_sure_is_no_stranger_among_those_copied_in(copied: Any, maya: Any, ana: Any) -> None:
    bea = Identity.objects.get(value="bea@hale.test")
    merging.join(maya, bea.customer, by=ana)
    merging.repoint(maya, [IdentityLink(identity=bea, customer=maya, reason="code")], ana)
    Merge.objects.update(proven_at=now())
    with pytest.raises(outbox.WouldDisclose) as held:
        sent_to_all(ana, copied, maya, "Order 48213 left")
    assert [each.value for one in held.value.held for each in one.people] == ["jon@hale.test"]


def test_who_it_goes_to_and_who_is_copied_in_are_both_named(
    case: Any, maya: Any, mailbox: Any, account: Any, ana: Any
) -> None:
    mail = make.says(Sender("m2@x.test", "", "M"), mailbox, "me again", cc=[Sender("jon@hale.test", "", "Jon")])
    assert mail.case
    merging.join(maya, mail.case.customer, by=ana)
    people = list(Participant.objects.values_list("pk", flat=True))
    joined = Case.objects.get(pk=case.pk).current()
    text = "Card 4111 1111 1111 1111 and order 48213"
    with pytest.raises(outbox.WouldDisclose) as held:
        reply(ana, joined, Identity.objects.get(value="m2@x.test"), text, copied=people)
    assert [[each.value for each in one.people] for one in held.value.held] == [["m2@x.test"], ["jon@hale.test"]]
