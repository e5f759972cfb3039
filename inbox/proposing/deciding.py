"""An agent looked at a proposal. Only here two people become one, and only by the agent's own act."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from connectors.models import Connector
from customers.models import Customer, Identity, IdentityLink
from inbox import inviting, merging, outbox
from inbox.live import announce
from inbox.locking import locked
from inbox.merging import CannotJoin
from inbox.models import Agent, Case, Entry, EntryKind, Merge, Proposal, ProposalState
from inbox.proposing.looking import to_review

ANSWERED = "A colleague has just answered this."


class CannotAsk(Exception):
    """`reason` is a sentence for the agent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def accept(proposal: Proposal, *, by: Agent) -> Merge:
    """Joins the two; its undo is where every join has its own. Raises CannotJoin."""
    kinds = proposal.evidence.filter(is_for=True).values_list("kind", flat=True)  # its words would outlive the messages
    reason = "A proposal: " + ", ".join(dict.fromkeys(kind.replace("_", " ") for kind in kinds))
    with transaction.atomic():
        if not _is_undecided(proposal):
            raise CannotJoin(ANSWERED)
        merge = merging.join(proposal.one, proposal.other, by=by, reason=reason[:300])
        if not _decide(proposal, ProposalState.ACCEPTED, by):  # after the join: whoever weighs it locks people first
            raise CannotJoin(ANSWERED)
    return merge


def differ(proposal: Proposal, *, by: Agent) -> None:
    """Remembered: it is asked again only when something new speaks for it. Raises CannotJoin when it was answered."""
    if not _decide(proposal, ProposalState.DIFFERENT, by):
        raise CannotJoin(ANSWERED)


def ask(proposal: Proposal, *, by: Agent) -> Identity:
    """Sends a code to an address that is sure; whoever returns it from the other side's is the same person.

    The older side is asked first. Returns the address that was written to. Raises CannotAsk.
    """
    if not _is_undecided(proposal):
        raise CannotAsk(ANSWERED)
    one, other = (each.current() for each in (proposal.one, proposal.other))
    asked = _ask(one, other, by) or _ask(other, one, by)
    if asked is None:
        raise CannotAsk("No code can be sent to either of them. Ask for something only this person knows.")
    _decide(proposal, ProposalState.ASKED, by)
    return asked


def _ask(knows: Customer, unknown: Customer, by: Agent) -> Identity | None:
    to, where = _surest(knows), _where(unknown)
    case = Case.objects.live_of(knows) or _last_case(knows)
    if to is None or where is None or case is None:
        return None
    with locked(case) as case:
        if not Case.objects.visible_to(by).filter(pk=case.pk).exists():
            return None
        if inviting.was_just_told(case, to, where):
            return to
        sent = outbox.notify(case, to=to, text=inviting.question(case, where, by=by))
    return to if sent else None


def _surest(customer: Customer) -> Identity | None:
    """Where they wrote from last, of the addresses that are theirs without a doubt."""
    links = IdentityLink.objects.active().filter(identity__customer=customer).select_related("identity")
    sure = {link.identity: link.identity.last_inbound_at for link in links if link.is_sure_by_itself}
    written = {identity: at for identity, at in sure.items() if at}
    return max(written, key=lambda each: written[each], default=None)


def _where(customer: Customer) -> Connector | None:
    """The address of ours that they wrote to last."""
    said = Entry.objects.filter(identity__customer=customer, kind=EntryKind.MESSAGE, connector__isnull=False)
    last = said.select_related("connector").order_by("-pk").first()
    return last.connector if last else None


def _last_case(customer: Customer) -> Case | None:
    return Case.objects.unmerged().filter(customer__in=customer.family()).order_by("-pk").first()


def _is_undecided(proposal: Proposal) -> bool:
    return Proposal.objects.undecided().filter(_people(proposal)).exists()


def _decide(proposal: Proposal, state: ProposalState, by: Agent) -> bool:
    """False when a colleague was faster."""
    undecided = Proposal.objects.undecided().filter(_people(proposal))
    is_first = bool(undecided.update(state=state, decided_by=by, decided_at=now()))
    announce(to_review)
    proposal.refresh_from_db()
    return is_first


def _people(proposal: Proposal) -> Q:
    return Q(one=proposal.one_id, other=proposal.other_id)
