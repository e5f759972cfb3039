"""What proposals say of an erased address: lines that rest on no message, but on what was on record."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.live import announce
from inbox.models import Evidence, Proposal, ProposalState
from inbox.privacy.naming import naming, without
from inbox.proposing.looking import to_review


def forget(names: set[str], family: Sequence[int]) -> None:
    """A question for which nothing speaks any more is not asked. Expects the lock of whose address it is."""
    proposals = Proposal.objects.of(family)
    lines = Evidence.objects.filter(naming("words", names) | naming("value", names), proposal__in=proposals)
    theirs = [each.pk for each in lines if without([each.words, each.value], names) != [each.words, each.value]]
    if not theirs:
        return
    asked = list(proposals.undecided().filter(evidence__in=theirs).values_list("pk", flat=True))
    Evidence.objects.filter(pk__in=theirs).delete()
    if proposals.filter(pk__in=asked).exclude(evidence__is_for=True).update(state=ProposalState.DROPPED):
        announce(to_review)
