"""Somebody wrote a code we told a customer, or a yes to our question: whose message is it then?

Looked up before anything is locked, so that both people are locked at once; decided again under the lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from connectors.messages import Authenticity, InboundMessage
from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox import merging, outbox
from inbox.codes import written_in
from inbox.intake import moves
from inbox.models import Case, Entry, Invitation, Merge, WrongCode

YES = {"yes", "yes.", "yes!", "y", "ja", "oui", "si", "sí", "sim", "yep", "yes it was me"}
MOST_WRONG, MOST_WRONG_OF_ALL, WITHIN = 5, 1_000, timedelta(hours=1)
WRONG = "The code in this message is not valid."


@dataclass
class Claim:
    """A code or a yes; `invitation` is None for a code that is none of ours."""

    identity: Identity
    invitation: Invitation | None = None
    is_yes: bool = False

    @property
    def others(self) -> list[int]:
        """Whom to lock, beside the sender's own customer."""
        if self.invitation is None:
            return []
        claimant = self.invitation.claimed_by if self.is_yes else None
        return [(claimant.customer if claimant else self.invitation.customer).current().pk]


def find(item: InboundMessage, identity: Identity) -> Claim | None:
    """None for nearly every message. Nothing is locked yet; wrong codes are counted here."""
    if item.authenticity == Authenticity.FAIL:
        return None
    codes = written_in(f"{item.subject}\n{item.text}\n{item.remark}")
    if codes:
        return _of_codes(codes, identity)
    if item.text.strip().casefold() in YES:
        asked = Invitation.objects.open().filter(told_to=identity, asked_at__isnull=False)
        invitation = asked.select_related("customer", "claimed_by__customer").order_by("-pk").first()
        return Claim(identity, invitation, is_yes=True) if invitation else None
    return None


def _of_codes(codes: list[str], identity: Identity) -> Claim | None:
    if _guesses_too_much(identity):
        return Claim(identity)
    for code in codes:
        invitation = Invitation.objects.of_code(code).select_related("customer").first()
        if invitation and invitation.told_to_id == identity.pk:
            return None  # our own message, quoted back
        if invitation and Invitation.objects.open().filter(pk=invitation.pk).exists():
            return Claim(identity, invitation)
    WrongCode.objects.create(identity=identity)
    return Claim(identity)


def _guesses_too_much(identity: Identity) -> bool:
    return WrongCode.objects.filter(identity=identity, at__gt=now() - WITHIN).count() >= MOST_WRONG


def settle(
    claim: Claim, owner: Customer, thread: Case | None, entry: Entry
) -> tuple[Customer, moves.Last | None, Case | None]:
    """Under the lock of both: whose message this is, what they said last, and the case it is about.

    The entry gets the remark that agents read.
    """
    fresh = _still_open(claim.invitation)
    if fresh is None:
        entry.remark = WRONG
    elif claim.is_yes:
        _confirm(claim.identity, fresh, owner, entry)
    elif _may_go_on(fresh, owner):
        owner, thread = _go_on(claim.identity, fresh, owner, entry), fresh.case
    else:
        _ask(claim.identity, fresh, entry)
    return owner, moves.last_of(owner), _as_it_is_now(thread)


def _may_go_on(invitation: Invitation, owner: Customer) -> bool:
    if owner.pk == invitation.customer.current().pk:
        return True
    return not _is_somebody_else(owner) and not _many_guess()


def _go_on(identity: Identity, invitation: Invitation, owner: Customer, entry: Entry) -> Customer:
    theirs = invitation.customer.current()
    if owner.pk != theirs.pk:
        _join(theirs, owner, invitation, identity, entry)
        identity.customer, identity.is_new = theirs, False
    _prove(theirs, (identity.pk, invitation.told_to_id), invitation, entry)
    _use(invitation, identity)
    entry.remark = f"Went on here with the code {invitation.by.short_name if invitation.by else 'we'} gave"
    return theirs


def _as_it_is_now(thread: Case | None) -> Case | None:
    return Case.objects.select_related("customer").get(pk=thread.pk).current() if thread else None


def _still_open(invitation: Invitation | None) -> Invitation | None:
    if invitation is None:
        return None
    related = Invitation.objects.open().select_related("customer", "case", "by", "told_to", "told_in", "claimed_by")
    return related.filter(pk=invitation.pk).first()


def _is_somebody_else(owner: Customer) -> bool:
    """Whom we know as another person already: a code that was passed on must not make two people one."""
    if owner.named_by_agent or owner.identities.count() > 1:
        return True
    links = owner.links.filter(revoked_at=None)
    return links.filter(reason__in=[LinkReason.IMPORTED, LinkReason.ADDED, LinkReason.JOINED]).exists()


def _many_guess() -> bool:
    return WrongCode.objects.filter(at__gt=now() - WITHIN)[:MOST_WRONG_OF_ALL].count() >= MOST_WRONG_OF_ALL


def _ask(claimant: Identity, invitation: Invitation, entry: Entry) -> None:
    """Asks where the code was told. Nothing of the one is shown to the other until there is a yes."""
    entry.remark = "Wrote a code that was given to somebody else. That person is asked."
    if invitation.asked_at is not None or invitation.told_to is None or invitation.told_in is None:
        return
    invitation.claimed_by, invitation.asked_at = claimant, now()
    invitation.save(update_fields=["claimed_by", "asked_at"])
    words = f"Your code was used from {claimant.shown}. If that was you, answer YES. If not, there is nothing to do."
    outbox.notify(invitation.case.current(), to=invitation.told_to, text=words)


def _confirm(identity: Identity, invitation: Invitation, owner: Customer, entry: Entry) -> None:
    claimant = invitation.claimed_by
    if claimant is None or invitation.told_to_id != identity.pk:
        return
    other = claimant.customer.current()
    if other.pk != owner.pk:
        _join(owner, other, invitation, claimant, entry)
    _use(invitation, claimant)
    entry.remark = f"Confirmed that {claimant.shown} is theirs"


def _join(survivor: Customer, absorbed: Customer, invitation: Invitation, identity: Identity, entry: Entry) -> None:
    told = invitation.told_to.shown if invitation.told_to else "them"
    reason = f"{identity.shown} wrote the code given to {told}"
    merging.join_locked(survivor, absorbed, by=None, reason=reason, link=LinkReason.CODE, entry=entry.uuid)


def _prove(customer: Customer, identities: tuple[int, int | None], invitation: Invitation, entry: Entry) -> None:
    """Whoever holds both addresses is one person: what was only said of either is proven now."""
    unsure = IdentityLink.objects.active().filter(identity__in=identities, identity__customer=customer)
    words = f"the code given to {invitation.told_to.shown if invitation.told_to else 'them'} came back from the other"
    links = [
        IdentityLink(
            identity=link.identity, customer=customer, reason=LinkReason.CODE, words=words, entry_uuid=entry.uuid
        )
        for link in unsure.select_related("identity")
        if not link.assurance.is_sure
    ]
    merging.repoint(customer, links, None)
    for merge in Merge.objects.unproven_of(customer):
        if merge.is_between(*identities):
            merge.proven_at = now()
            merge.save(update_fields=["proven_at"])


def _use(invitation: Invitation, identity: Identity) -> None:
    invitation.used_at, invitation.used_by = now(), identity
    invitation.save(update_fields=["used_at", "used_by"])
