"""One answer to a proposal holds, the first; and what was written down of it tells no words."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import Sender
from inbox import merging, proposing, splitting
from inbox.merging import CannotJoin
from inbox.models import Evidence, Merge, Proposal, ProposalState
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(maya: Any) -> Any:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    one, other = sorted([maya, bob], key=lambda each: each.pk)
    found = Proposal.objects.create(one=one, other=other, strength="strong", points=12)
    words = "Bob Stone gives maya@ortiz.test as their own"
    Evidence.objects.create(
        proposal=found, kind="their_address", is_for=True, points=10, value="maya@ortiz.test", words=words
    )
    return found


def test_a_yes_after_a_colleague_said_no_joins_nobody(proposal: Any, ana: Any, sam: Any) -> None:
    late = Proposal.objects.get(pk=proposal.pk)
    proposing.differ(proposal, by=sam)
    with pytest.raises(CannotJoin, match="A colleague has just answered this"):
        proposing.accept(late, by=ana)
    assert not Merge.objects.exists()
    late.refresh_from_db()
    assert (late.state, late.decided_by) == (ProposalState.DIFFERENT, sam)


def test_a_no_after_a_colleague_said_yes_changes_nothing(proposal: Any, ana: Any, sam: Any) -> None:
    late = Proposal.objects.get(pk=proposal.pk)
    proposing.accept(proposal, by=ana)
    with pytest.raises(CannotJoin, match="A colleague has just answered this"):
        proposing.differ(late, by=sam)
    late.refresh_from_db()
    assert (late.state, late.decided_by) == (ProposalState.ACCEPTED, ana)


def test_the_reason_of_the_join_repeats_no_words_of_a_message(proposal: Any, ana: Any) -> None:
    merge = proposing.accept(proposal, by=ana)
    assert merge.reason == "A proposal: their address"
    words = merge.absorbed.identities.model.objects.filter(links__words__contains="ortiz.test")
    assert not words.exists()


def test_an_erased_message_gets_no_name_back(maya: Any, number: Any, ana: Any) -> None:
    bob = make.customer("Bob Stone", phone="+14155550188")
    make.says(bob, number, "Hello")
    merge = merging.join(maya, bob, by=ana)
    sender = Sender("+14155550188", "", "Bob Stone")
    entry, kept = make.says(sender, number, "My card is 4111"), make.says(sender, number, "Sorry")
    type(entry).objects.filter(pk=entry.pk).update(erased_at=entry.created_at, author="")
    merging.undo(merge, by=ana)
    entry.refresh_from_db()
    kept.refresh_from_db()
    assert (entry.author, kept.author) == ("", "Bob Stone")
    regrouping = splitting.hand_over(kept.case, [entry.pk], to=maya, by=ana)
    entry.refresh_from_db()
    assert entry.author == ""
    splitting.undo(regrouping, by=ana)
    entry.refresh_from_db()
    assert entry.author == ""
