"""Somebody wrote a code we told a customer, or a yes to our question: whose message is it then?

Looked up before anything is locked, so that both people are locked at once; decided again under the lock. A code may
have been passed on, quoted by a machine or read by somebody copied in: where that is likely, whoever was told is asked.
While they are two people, neither's case names the other: it would still do so after the other was erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from connectors.messages import CHANNEL_WORDS, Authenticity, Channel, Classification, InboundMessage
from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox import merging, outbox
from inbox.codes import written_in
from inbox.intake import moves
from inbox.locking import Moved
from inbox.models import (
    Case,
    Entry,
    EntryKind,
    Fact,
    Invitation,
    Merge,
    Participant,
    State,
    Status,
    WrongCode,
)

YES = {"yes", "y", "ja", "oui", "si", "sí", "sim", "yep", "yes it was me", "yes that was me"}
MOST_WRONG, MOST_WRONG_OF_ALL, WITHIN = 5, 1_000, timedelta(hours=1)
WRONG = "The code in this message is not valid."
UNPROVEN = "This mail is not proven to be from its sender, so its code does not count."
CONFIRMED = "Confirmed that it was they who wrote the code"
NEVER_LEFT = (State.QUEUED, State.FAILED, State.CANCELLED)


@dataclass
class Claim:
    """A code or a yes; without an `invitation` it is a code that does not count, and `why` says so."""

    identity: Identity
    invitation: Invitation | None = None
    is_yes: bool = False
    why: str = WRONG

    @property
    def others(self) -> list[int]:
        """Whom to lock, beside the sender's own customer."""
        return [other.pk for other in [_other_side(self, self.invitation)] if other]


def _other_side(claim: Claim, invitation: Invitation | None) -> Customer | None:
    if invitation is None:
        return None
    if not claim.is_yes:
        return invitation.person
    return invitation.claimed_by.customer.current() if invitation.claimed_by else None


def find(item: InboundMessage, identity: Identity) -> Claim | None:
    """None for nearly every message. Nothing is locked yet; wrong codes are counted here."""
    if identity.blocked_at or item.authenticity == Authenticity.FAIL or _is_from_a_machine(item):
        return None
    is_proven = item.email is None or item.authenticity == Authenticity.PASS
    codes = written_in(f"{item.subject}\n{item.text}\n{item.remark}")
    if codes:
        return _of_codes(codes, identity, is_proven)
    first_line = item.text.strip().partition("\n")[0].strip(" .!,")
    if is_proven and first_line.casefold() in YES:
        return _of_a_yes(identity)
    return None


def _is_from_a_machine(item: InboundMessage) -> bool:
    """A robot that quotes our mail. Off mail, what is filed may be the opening of a chat by our link."""
    return item.is_auto_reply or (item.email is not None and item.classification != Classification.PERSON)


def _of_codes(codes: list[str], identity: Identity, is_proven: bool) -> Claim | None:
    if _guesses_too_much(identity):
        return Claim(identity)
    for code in codes:
        invitation = Invitation.objects.of_code(code).select_related("told_to", "told_in__case").first()
        if invitation and _has_our_mail(identity, invitation):
            return None  # our own message, quoted back
        if invitation and Invitation.objects.open().filter(pk=invitation.pk).exists():
            return Claim(identity, invitation) if is_proven else Claim(identity, why=UNPROVEN)
    WrongCode.objects.create(identity=identity)
    return Claim(identity)


def _has_our_mail(identity: Identity, invitation: Invitation) -> bool:
    """Who was told, and everybody who got that message with them."""
    if invitation.told_to_id == identity.pk:
        return True
    entry = invitation.told_in
    if entry is None or entry.case is None:
        return False
    family = entry.case.current().family()
    return identity.value in (*entry.headers.get("cc", []), *entry.data.get("bcc", [])) or (
        Participant.objects.filter(case__in=family, identity=identity).exists()
    )


def _of_a_yes(identity: Identity) -> Claim | None:
    """Only a yes to our question, and to nothing that was said after it."""
    last = Entry.objects.filter(kind=EntryKind.REPLY, identity=identity, unsent_at=None).order_by("-pk").first()
    if last is None or not last.deliveries.exclude(state__in=NEVER_LEFT).exists():
        return None
    asked = Invitation.objects.open().filter(told_to=identity, asked_in=last)
    invitation = asked.select_related("told_to", "claimed_by__customer").first()
    return Claim(identity, invitation, is_yes=True) if invitation else None


def _guesses_too_much(identity: Identity) -> bool:
    return WrongCode.objects.filter(identity=identity, at__gt=now() - WITHIN).count() >= MOST_WRONG


def settle(
    claim: Claim, owner: Customer, thread: Case | None, entry: Entry
) -> tuple[Customer, moves.Last | None, Case | None]:
    """Under the lock of both: whose message this is, what they said last, and the case it is about.

    The entry gets the remark that agents read. Raises Moved when somebody changed hands since they were looked up.
    """
    fresh = _still_open(claim)
    other = _other_side(claim, fresh)
    if other and other.pk not in (owner.pk, *claim.others):
        raise Moved
    if fresh is None or other is None:
        if not claim.is_yes:
            _remark(entry, claim.why)
    elif owner.pk != other.pk and not merging.somebody_sees_both(owner, other):
        _leave_to_agents(claim, fresh, other, entry)
    elif claim.is_yes:
        _confirm(fresh, owner, other, entry)
    elif owner.pk == other.pk or _may_go_on(fresh, owner, other, entry):
        owner, thread = _go_on(fresh, owner, other, entry), fresh.told_in.case if fresh.told_in else thread
    else:
        _ask(fresh, entry)
    return owner, moves.last_of(owner), _as_it_is_now(thread)


def _still_open(claim: Claim) -> Invitation | None:
    if claim.invitation is None:
        return None
    related = Invitation.objects.open().select_related("by", "connector", "told_to", "told_in__case", "claimed_by")
    return related.filter(pk=claim.invitation.pk).first()


def _as_it_is_now(thread: Case | None) -> Case | None:
    return Case.objects.select_related("customer").get(pk=thread.pk).current() if thread else None


def _remark(entry: Entry, words: str) -> None:
    entry.remark = " · ".join(each for each in (entry.remark, words) if each)[:200]


# Is it they?


def _may_go_on(invitation: Invitation, owner: Customer, theirs: Customer, entry: Entry) -> bool:
    """Whether nothing says that this is somebody else, to whom the code was passed on."""
    came_where_asked = entry.channel == invitation.connector.kind
    shared = entry.identity is None or entry.identity.is_shared
    apart = Merge.objects.have_parted(owner, theirs)
    return came_where_asked and not shared and not apart and not _is_somebody_else(owner, theirs) and not _many_guess()


def _is_somebody_else(owner: Customer, theirs: Customer) -> bool:
    """Whom we know as another person already: by name, by several addresses, by what they told us or asked before."""
    if owner.named_by_agent or owner.identities.count() > 1 or not _may_share_a_name(owner.name, theirs.name):
        return True
    if owner.links.filter(
        revoked_at=None, reason__in=[LinkReason.IMPORTED, LinkReason.ADDED, LinkReason.JOINED]
    ).exists():
        return True
    told = Fact.objects.filter(customer__in=theirs.family()).values("value")
    if Fact.objects.filter(customer=owner).exclude(value__in=told).exists():
        return True
    return Case.objects.filter(customer=owner, status=Status.RESOLVED).exists()


def _may_share_a_name(one: str, other: str) -> bool:
    """ "Maya O." and "Maya Ortiz" may; nobody is told by a name that is not there."""
    first, second = ({*name.casefold().replace(".", " ").split()} for name in (one, other))
    return not first or not second or bool(first & second)


def _many_guess() -> bool:
    return WrongCode.objects.filter(at__gt=now() - WITHIN)[:MOST_WRONG_OF_ALL].count() >= MOST_WRONG_OF_ALL


def _ask(invitation: Invitation, entry: Entry) -> None:
    """Asks where the code was told. Nothing of the one is shown to the other until there is a yes."""
    told_to, told_in = invitation.told_to, invitation.told_in
    words = "Wrote a code that was given to somebody else."
    if invitation.asked_in_id is None and told_to and told_in and told_in.case and entry.identity:
        way = CHANNEL_WORDS[Channel(entry.channel)].name
        where = f"Your code was used from another address ({way})."
        text = f"{where} If that was you, answer YES. If not, there is nothing to do."
        question = outbox.notify(_as_it_is_now(told_in.case) or told_in.case, to=told_to, text=text)
        if question:
            invitation.claimed_by, invitation.asked_in = entry.identity, question
            invitation.save(update_fields=["claimed_by", "asked_in"])
    asked = invitation.asked_in_id is not None
    _remark(entry, f"{words} {'That person is asked.' if asked else 'That person could not be asked.'}")


def _leave_to_agents(claim: Claim, invitation: Invitation, other: Customer, entry: Entry) -> None:
    """Joining would show each side's words to whom nobody chose for them, or to nobody: the readers of both are told,
    and can name somebody in both. The code is not used up, so it joins them then."""
    said, told = "Wrote a code that was given to somebody else.", "Somebody wrote the code given here."
    if claim.is_yes:
        said, told = f"{CONFIRMED}.", "Somebody confirmed that this address is theirs."
    _remark(entry, f"{said} Not joined: {merging.NOBODY_SEES_BOTH}")
    case = Case.objects.live_of(other)
    if case and not case.timeline().filter(event="not_joined", data__invitation=invitation.pk).exists():
        words = f"{told} Not joined: {merging.NOBODY_SEES_BOTH}"
        case.record(Entry.event_of("not_joined", words, by=None, invitation=invitation.pk))


# It is they


def _go_on(invitation: Invitation, owner: Customer, theirs: Customer, entry: Entry) -> Customer:
    identity = entry.identity
    assert identity is not None
    is_sure = _is_sure(invitation.told_to, theirs)
    if owner.pk != theirs.pk:
        _join(theirs, owner, identity, invitation, entry, proves=is_sure)
        identity.customer, identity.is_new = theirs, False
    else:
        _prove(theirs, identity, invitation, entry)
    _use(invitation, identity)
    _remark(entry, f"Went on here with the code {invitation.by.short_name if invitation.by else 'we'} gave")
    return theirs


def _is_sure(told_to: Identity | None, customer: Customer) -> bool:
    """A code proves that two addresses are one person's; whose, only if that was sure of the one it was told to."""
    link = IdentityLink.objects.active().filter(identity=told_to).select_related("identity").first()
    joined = any(told_to and told_to.pk in join.identities for join in Merge.objects.unproven_of(customer))
    return link is not None and link.assurance.is_sure and not joined


def _confirm(invitation: Invitation, owner: Customer, other: Customer, entry: Entry) -> None:
    claimant = invitation.claimed_by
    assert claimant is not None
    if other.pk != owner.pk:
        _join(owner, other, claimant, invitation, entry, proves=_is_sure(invitation.told_to, owner))
    _use(invitation, claimant)
    _remark(entry, CONFIRMED)


def _join(
    survivor: Customer, absorbed: Customer, identity: Identity, invitation: Invitation, entry: Entry, *, proves: bool
) -> None:
    told = invitation.told_to.shown if invitation.told_to else "them"
    reason = f"{identity.shown} wrote the code given to {told}"
    proven = identity if proves else None
    merging.join_locked(survivor, absorbed, by=None, reason=reason, proven=proven, entry=entry.uuid)


def _prove(customer: Customer, identity: Identity, invitation: Invitation, entry: Entry) -> None:
    """Both are this customer's already, one perhaps on somebody's word: whoever is sure of one is sure of both now."""
    both = IdentityLink.objects.active().filter(identity__in=[identity.pk, invitation.told_to_id])
    links = list(both.select_related("identity"))
    if not any(link.assurance.is_sure for link in links):
        return
    words = f"the code given to {invitation.told_to.shown if invitation.told_to else 'them'} came back from the other"
    about = {"customer": customer, "reason": LinkReason.CODE, "words": words[:200], "entry_uuid": entry.uuid}
    unsure = [link for link in links if not link.assurance.is_sure]
    merging.repoint(customer, [IdentityLink(identity=link.identity, **about) for link in unsure], None)
    for merge in Merge.objects.unproven_of(customer):
        if merge.is_between(identity.pk, invitation.told_to_id):
            merge.proven_at = now()
            merge.save(update_fields=["proven_at"])


def _use(invitation: Invitation, identity: Identity) -> None:
    invitation.used_at, invitation.used_by = now(), identity
    invitation.save(update_fields=["used_at", "used_by"])
