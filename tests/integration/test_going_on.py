"""A code carries a person from any channel to any other: linked, one case, nobody surprised; guessers get nothing."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Identity, IdentityLink
from customers.models.link import LinkReason
from inbox import codes, inviting, merging, outbox
from inbox.locking import locked
from inbox.models import Alert, Case, Invitation, Merge, Switch, WrongCode
from inbox.outbox.composing import compose
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("email", "sms", "instagram")
HERS = {"email": "maya@elsewhere.test", "sms": "+14155550142", "instagram": "90090090"}


@pytest.fixture
def places(mailbox: Connector, number: Connector, account: Connector) -> dict[str, Connector]:
    return {"email": mailbox, "sms": number, "instagram": account}


def stranger(kind: str, places: dict[str, Connector], value: str = "", name: str = "") -> Sender:
    return Sender(value or HERS[kind], places[kind].address if kind == "instagram" else "", name)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(KINDS, 2)))
def test_a_code_carries_a_stranger_from_every_channel_to_every_other(
    first: str, second: str, places: dict[str, Connector], ana: Any
) -> None:
    case = make.says(stranger(first, places, name="Maya Ortiz"), places[first], "Where is my parcel?").case
    assert case
    code = make.code_from(ana, case, places[second])
    entry = make.says(stranger(second, places), places[second], f"{code.lower()} here I am")
    assert entry.case == case
    assert entry.kind == "message"
    assert entry.identity
    assert entry.identity.customer == case.customer
    link = IdentityLink.objects.active().get(identity=entry.identity)
    assert (link.reason, link.entry_uuid) == (LinkReason.CODE, entry.uuid)
    assert link.assurance == "proven"
    switch = Switch.objects.get()
    assert (switch.from_channel, switch.to_channel, switch.reason) == (first, second, "was invited there")
    assert not Alert.objects.exists(), "we asked them to"
    assert Case.objects.get(pk=case.pk).waiting_since, "and they wait for an answer"


def test_another_address_of_the_same_kind_is_linked_by_a_code_too(
    maya: Any, places: dict[str, Connector], ana: Any
) -> None:
    case = make.says(maya, places["email"], "hi").case
    assert case
    code = make.code_from(ana, case, places["email"])
    entry = make.says(stranger("email", places), places["email"], f"from my other address: {code}")
    assert entry.case == case
    assert not Switch.objects.exists()


def test_what_a_stranger_said_before_the_code_joins_the_case(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    before = make.says(stranger("instagram", places), places["instagram"], "hello? it's Maya").case
    case = make.says(maya, places["email"], "Where is my parcel?").case
    assert case
    assert before
    code = make.code_from(ana, case, places["instagram"])
    make.says(stranger("instagram", places), places["instagram"], code)
    whole = Case.objects.get(pk=case.pk).current()
    assert Case.objects.get(pk=before.pk).current() == whole
    assert list(whole.timeline().filter(kind="message").order_by("pk").values_list("channel", flat=True)) == [
        "instagram",
        "email",
        "instagram",
    ]
    merging.undo(Merge.objects.get(), by=ana)
    assert Case.objects.get(pk=case.pk).current() != Case.objects.get(pk=before.pk).current()


def test_a_code_works_once(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    case = make.says(maya, places["email"], "hi").case
    assert case
    code = make.code_from(ana, case, places["sms"])
    make.says(stranger("sms", places), places["sms"], code)
    again = make.says(stranger("sms", places, "+14155550143"), places["sms"], code)
    assert again.case != case
    assert again.remark == "The code in this message is not valid."


def test_an_old_code_says_the_same_as_one_that_never_was(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    case = make.says(maya, places["email"], "hi").case
    assert case
    code = make.code_from(ana, case, places["sms"])
    invented = codes.spelled(codes.code_of(b"another installation", b"1"))
    with time_machine.travel(now() + timedelta(hours=80)):
        late = make.says(stranger("sms", places), places["sms"], code)
        never = make.says(stranger("sms", places, "+14155550143"), places["sms"], invented)
    assert late.remark == never.remark != ""
    assert late.identity and late.identity.customer != maya


def test_a_typo_links_nobody_and_is_no_guess(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    case = make.says(maya, places["email"], "hi").case
    assert case
    code = make.code_from(ana, case, places["sms"])
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    assert make.says(stranger("sms", places), places["sms"], wrong).case != case
    assert not WrongCode.objects.exists()
    entry = make.says(stranger("sms", places), places["sms"], code)
    assert entry.identity and entry.identity.customer == maya


def test_ten_thousand_guesses_link_nobody_and_stop_counting_after_five(
    maya: Any, places: dict[str, Connector], ana: Any
) -> None:
    case = make.says(maya, places["email"], "hi").case
    assert case
    code = make.code_from(ana, case, places["sms"])
    guesses = [codes.spelled(codes.code_of(b"guess", str(number).encode())) for number in range(10_000)]
    guesser = stranger("sms", places)
    for start in range(0, len(guesses), 1_250):
        make.says(guesser, places["sms"], " ".join(guesses[start : start + 1_250]))
    late = make.says(guesser, places["sms"], code)
    assert WrongCode.objects.count() == 5
    assert late.identity and late.identity.customer != maya, "who guesses is not listened to for an hour"
    assert Invitation.objects.open().exists()


def test_our_own_mail_quoted_back_uses_nothing_up(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    case = make.says(maya, places["email"], "hi").case
    assert case
    code = make.code_from(ana, case, places["sms"])
    entry = make.says(maya, places["email"], f"What is this? > {code}")
    assert entry.remark == ""
    assert Invitation.objects.open().exists()


def test_a_forged_mail_proves_nothing(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    case = make.says(maya, places["sms"], "hi").case
    assert case
    code = make.code_from(ana, case, places["email"])
    entry = make.says(stranger("email", places), places["email"], code, authenticity="fail")
    assert entry.identity and entry.identity.customer != maya
    assert Invitation.objects.open().exists()


def test_the_code_sent_to_a_known_address_proves_the_other(maya: Any, places: dict[str, Connector], ana: Any) -> None:
    """Ana believed a stranger on Instagram; the code to Maya's mail comes back there."""
    make.says(maya, places["email"], "My order is #48213")
    entry = make.says(stranger("instagram", places), places["instagram"], "it's me")
    assert entry.case
    merging.join(maya, entry.case.customer, by=ana)
    case = entry.case.current()
    theirs = Identity.objects.get(value=HERS["instagram"])
    assert IdentityLink.objects.active().get(identity=theirs).assurance == "claimed"
    with locked(case) as current:
        words = inviting.question(current, places["instagram"], by=ana)
        question = outbox.notify(current, to=maya.identities.get(kind="email"), text=words)
    assert question
    make.says(stranger("instagram", places), places["instagram"], compose(question.deliveries.get()).text[-12:])
    assert IdentityLink.objects.active().get(identity=theirs).assurance == "proven"
