"""Who may be the same person: found through the real intake, shown with its reasons, decided by agents alone."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import Sender
from customers.models import Customer
from inbox import merging, proposing
from inbox.models import Considered, Entry, Merge, Proposal, ProposalState, Strength, Trace
from tests import make

pytestmark = pytest.mark.django_db


def look() -> None:
    """What the workers do after each message."""
    for pk in Entry.objects.filter(kind="message").exclude(pk__in=Considered.objects.values("entry")).order_by("pk"):
        proposing.look(pk.pk)


def dm(account: Any, text: str, name: str = "", ident: str = "777888", handle: str = "") -> Entry:
    entry = make.says(Sender(ident, make.INSTAGRAM_ACCOUNT, name, handle), account, text)
    look()
    return entry


@pytest.fixture
def known(maya: Customer, mailbox: Any) -> Customer:
    """Maya wrote by email about her order."""
    maya.identities.filter(kind="instagram").delete()
    make.says(maya, mailbox, "My order #48213 arrived broken.\n\nMaya Ortiz\n+1 415 555 0188")
    look()
    return maya


def test_a_stranger_who_names_an_order_is_proposed_and_nothing_is_linked(known: Customer, account: Any) -> None:
    entry = dm(account, "Hi, it's about order #48213, is anybody there?", "maya.ortz", handle="maya.ortz")
    proposal = Proposal.objects.get()
    assert {proposal.one, proposal.other} == {known, entry.case.customer}  # type: ignore[union-attr]
    assert proposal.state == ProposalState.OPEN
    line = proposal.evidence.get(kind="order")
    assert (line.value, line.is_for) == ("48213", True)
    assert {line.one_entry, line.other_entry} == set(Entry.objects.filter(kind="message"))
    assert not Merge.objects.exists()
    assert entry.identity.customer != known  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("You can also reach me at maya@ortiz.test", Strength.STRONG),
        ("my number is 415 555 2671, call me", Strength.STRONG),
        ("It's me, Maya. I emailed you about order #48213 yesterday.", Strength.POSSIBLE),
        ("Order #48213 please!", Strength.WEAK),
        ("my number is 415 555 0188", Strength.POSSIBLE),
    ],
)
def test_what_they_tell_decides_how_strong_it_is(known: Customer, account: Any, text: str, strength: Strength) -> None:
    dm(account, text, "sunny_days_31", handle="sunny_days_31")
    assert Proposal.objects.get().strength == strength


@pytest.mark.parametrize(
    "text",
    [
        "My wife's email is maya@ortiz.test, please ask her",
        "I write on behalf of my wife, order #48213",
        "When do you open?",
    ],
)
def test_who_speaks_of_somebody_else_is_not_proposed(known: Customer, account: Any, text: str) -> None:
    dm(account, text, "Jon Ortiz")
    assert not Proposal.objects.undecided().exists()


def test_forged_mail_proposes_nobody(known: Customer, mailbox: Any) -> None:
    forged = Sender("maya@ortiz.test", "", "Maya Ortiz")
    make.says(forged, mailbox, "order #48213, my number is 415 555 2671", authenticity="fail")
    look()
    assert not Proposal.objects.exists()


def test_a_proposal_looked_at_twice_is_one_proposal(known: Customer, account: Any) -> None:
    entry = dm(account, "order #48213, my mail is maya@ortiz.test", "maya.ortz")
    Considered.objects.all().delete()
    before = list(Proposal.objects.get().evidence.values_list("kind", "value", "points"))
    proposing.propose(entry.case.customer)  # type: ignore[union-attr]
    look()
    assert list(Proposal.objects.get().evidence.values_list("kind", "value", "points")) == before


def test_different_people_are_asked_about_again_only_on_something_new(known: Customer, account: Any, ana: Any) -> None:
    dm(account, "it's about order #48213", "maya.ortz", handle="maya.ortz")
    proposal = Proposal.objects.get()
    proposing.differ(proposal, by=ana)
    dm(account, "hello?? order #48213!!", "maya.ortz", handle="maya.ortz")
    dm(account, "anybody? I really need an answer on #48213", "maya.ortz", handle="maya.ortz")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by) == (ProposalState.DIFFERENT, ana)
    dm(account, "my mail is maya@ortiz.test", "maya.ortz", handle="maya.ortz")
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.OPEN


def test_an_accepted_proposal_joins_the_two_and_can_be_taken_back(known: Customer, account: Any, ana: Any) -> None:
    entry = dm(account, "order #48213, my mail is maya@ortiz.test", "maya.ortz")
    proposal = Proposal.objects.get()
    merge = proposing.accept(proposal, by=ana)
    assert entry.identity.customer.current() == known  # type: ignore[union-attr]
    assert proposal.state == ProposalState.ACCEPTED
    assert "maya@ortiz.test" in merge.reason
    merging.undo(merge, by=ana)
    dm(account, "so, what about #48213?", "maya.ortz")
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.ACCEPTED  # nothing new speaks for it


def test_two_whom_somebody_joined_by_hand_and_told_apart_are_not_proposed(
    known: Customer, account: Any, ana: Any
) -> None:
    entry = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "maya.ortz"), account, "hello")
    merging.undo(merging.join(known, entry.case.customer, by=ana), by=ana)  # type: ignore[union-attr]
    dm(account, "order #48213", "maya.ortz", handle="maya.ortz")
    assert not Proposal.objects.undecided().exists()


def test_the_sweeper_looks_at_what_no_worker_saw(known: Customer, account: Any, monkeypatch: Any) -> None:
    make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "x"), account, "my mail is maya@ortiz.test")
    assert not Proposal.objects.exists()
    monkeypatch.setattr("inbox.proposing.looking.LATE", proposing.looking.timedelta())
    proposing.catch_up()
    assert Proposal.objects.exists()


def test_people_on_record_who_never_wrote_are_known_by_name(account: Any, monkeypatch: Any) -> None:
    zora = make.customer("Zora Quillfeather", email="mellow.pines@mail.test")
    monkeypatch.setattr("inbox.proposing.looking.LATE", proposing.looking.timedelta())
    proposing.catch_up()
    assert Trace.objects.filter(identity__customer=zora, kind="name", value="zora quillfeather").exists()
    dm(account, "hello, where is my parcel?", "Zora Quillfeather", handle="mellow.pines")
    assert Proposal.objects.get().one == zora
