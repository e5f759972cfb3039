"""Whose address this is after all: somebody else's, several people's, or theirs again.

Taking an address away is taking back a join that nobody ever noted: a journal of it is written and undone at once, so
what goes home with the address, and what waits for an answer again, is what merging says everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now

from customers.models import Customer, CustomerKind, Identity, IdentityLink, Relationship
from customers.models.link import LinkReason
from inbox import merging
from inbox.locking import ATTEMPTS, Moved, lock_owner
from inbox.models import Agent, Case, Delivery, Entry, EntryKind, Merge, State

TAKEN_AWAY = "taken_away"  # in Merge.before: the address, by id; nobody ever said that the two are one
OF_SOMEBODY = (EntryKind.MESSAGE, EntryKind.REPLY)
Act = Callable[[Identity, Customer], Customer]  # of an address and its owner, who is locked


class CannotDetach(Exception):
    """`reason` is a sentence for the agent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def detach(identity: Identity, *, by: Agent, reason: str = "", with_words: bool = True) -> Customer:
    """The address goes to a customer of its own, who is returned; what it writes from now on is theirs.

    `with_words`: what was said there so far goes along. Raises CannotDetach.
    """

    def do(fresh: Identity, owner: Customer) -> Customer:
        words = f"took {fresh.shown} away: the wrong person{f' ({reason})' if reason else ''}"
        return _detach(fresh, owner, Customer(), words, by=by, with_words=with_words)

    return _under_lock(identity, do)


def share(identity: Identity, *, kind: CustomerKind, by: Agent, name: str = "", with_words: bool = True) -> Customer:
    """Several people read it: it gets a customer of that kind, and whose it was writes from it. Raises CannotDetach."""

    def do(fresh: Identity, owner: Customer) -> Customer:
        named = name or f"Line {fresh.shown}"
        if _is_all_of(fresh, owner):
            owner.kind, owner.name, owner.named_by_agent = kind, name or owner.name or named, True
            owner.save(update_fields=["kind", "name", "named_by_agent"])
            line = owner
        else:
            line = Customer(kind=kind, name=named, named_by_agent=True)
            words = f"said that several people read {fresh.shown}"
            line = _detach(fresh, owner, line, words, by=by, with_words=with_words)
            about = {"role": Relationship.MEMBER, "made_by": by}
            Relationship.objects.get_or_create(customer=line, other=owner, defaults=about)
        Identity.objects.filter(pk=fresh.pk).update(is_shared=True)
        return line

    return _under_lock(identity, do)


def give_back(identity: Identity, *, by: Agent) -> Customer:
    """It is theirs after all: whoever had the address before has it again, who is returned. Raises CannotDetach."""
    for _ in range(ATTEMPTS):
        fresh = Identity.objects.select_related("customer").get(pk=identity.pk)
        before = owner_before(fresh)
        if before is None:
            if not fresh.is_shared:
                raise CannotDetach("Nobody else had this address.")
            return _under_lock(fresh, _not_shared)
        if fresh.customer.identities.exclude(pk=fresh.pk).exists():
            raise CannotDetach("Somebody else belongs to this address by now. Compare the two people instead.")
        try:
            with transaction.atomic():
                return _give_back(fresh, before, by)
        except Moved:
            continue
    raise CannotDetach("Somebody else is changing these people right now. Look again.")


def owner_before(identity: Identity) -> Customer | None:
    """Whose it was when it was taken away or shared; None when that was never done."""
    mine = Merge.objects.filter(absorbed=identity.customer, before__taken_away=identity.pk)
    merge = mine.select_related("survivor").order_by("-pk").first()
    return merge.survivor.current() if merge else None


def _under_lock(identity: Identity, do: Act) -> Customer:
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                fresh = Identity.objects.select_related("customer").get(pk=identity.pk)
                return do(fresh, lock_owner(fresh))
        except Moved:
            continue
    raise CannotDetach("Somebody else is changing this person right now. Look again.")


def _is_all_of(identity: Identity, owner: Customer) -> bool:
    return not owner.identities.exclude(pk=identity.pk).exists()


def _detach(
    identity: Identity, owner: Customer, stranger: Customer, words: str, *, by: Agent, with_words: bool
) -> Customer:
    if _is_all_of(identity, owner) and not owner.name:
        raise CannotDetach("This address is all that we know of this person: it cannot be somebody else's.")
    _hold_back(identity)
    stranger.merged_into = owner
    stranger.save(force_insert=True)
    merge = Merge.objects.create(
        survivor=owner,
        absorbed=stranger,
        identities=[identity.pk],
        cases=_cases_of_nobody_else(identity, owner) if with_words else [],
        newest_case=Case.objects.aggregate(newest=Max("pk"))["newest"] or 0,
        before={TAKEN_AWAY: identity.pk},
        reason=words[:300],
    )
    if with_words:
        merging.undo(merge, by=by)
    else:
        _part_from_now_on(merge, identity, by)
    _say(owner, words, by)
    stranger.refresh_from_db()
    return stranger


def _hold_back(identity: Identity) -> None:
    """What has not left yet would reach the wrong person."""
    waiting = Delivery.objects.filter(identity=identity, state=State.QUEUED)
    waiting.update(state=State.CANCELLED, reason="The address turned out to be somebody else's.", changed_at=now())


def _cases_of_nobody_else(identity: Identity, owner: Customer) -> list[int]:
    """Cases in which only this address was ever heard and answered go along whole."""
    spoken = Entry.objects.filter(case__customer__in=owner.family(), kind__in=OF_SOMEBODY)
    others = spoken.exclude(identity=identity).values("case")
    mine = spoken.filter(identity=identity, kind=EntryKind.MESSAGE).exclude(case__in=others)
    return list(mine.order_by("case").values_list("case", flat=True).distinct())


def _part_from_now_on(merge: Merge, identity: Identity, by: Agent) -> None:
    stranger = merge.absorbed
    stranger.merged_into = None
    stranger.save(update_fields=["merged_into"])
    merging.repoint(stranger, [IdentityLink(identity=identity, customer=stranger, reason=LinkReason.FIRST_SEEN)], by)
    merge.undone_at, merge.undone_by = now(), by
    merge.save(update_fields=["undone_at", "undone_by"])


def _give_back(identity: Identity, owner: Customer, by: Agent) -> Customer:
    line, link = lock_owner(identity, owner.pk), _link_before(identity, owner)
    try:
        merge = merging.join_locked(owner, line, by=by, reason="It was theirs after all")
    except merging.NotAllowed as error:
        raise CannotDetach(error.reason) from error
    merging.repoint(owner, [link], by)
    if link.reason != LinkReason.JOINED:  # what held before holds again, and is no agent's word
        Merge.objects.filter(pk=merge.pk).update(proven_at=now())
    Identity.objects.filter(pk=identity.pk).update(wrong_at=None, is_shared=False)
    Relationship.objects.filter(customer=line, other=owner, role=Relationship.MEMBER).delete()
    return owner


def _link_before(identity: Identity, owner: Customer) -> IdentityLink:
    """The same reason holds again, in a new row."""
    before = identity.links.exclude(revoked_at=None).order_by("-pk").first()
    return IdentityLink(
        identity=identity,
        customer=owner,
        reason=before.reason if before else LinkReason.FIRST_SEEN,
        words=before.words if before else "",
        entry_uuid=before.entry_uuid if before else None,
        made_by=before.made_by if before else None,
    )


def _not_shared(identity: Identity, owner: Customer) -> Customer:
    Identity.objects.filter(pk=identity.pk).update(is_shared=False)
    Customer.objects.filter(pk=owner.pk).update(kind=CustomerKind.PERSON)
    return owner


def _say(owner: Customer, words: str, by: Agent) -> None:
    case = Case.objects.live_of(owner)
    if case:
        case.record(Entry.event_of("taken_away", words, by=by))
