"""A message was taken in: does it say who its writer is, and in which language? In a worker, after the message is safe,
and only if it tells something new."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.utils.timezone import now

from connectors.messages import Authenticity
from customers import languages
from customers.identities import UNPROVEN
from customers.models import Customer, Identity
from inbox.live import announce
from inbox.locking import ATTEMPTS, Moved, lock, locked
from inbox.models import (
    Attachment,
    Case,
    Considered,
    Entry,
    EntryKind,
    Evidence,
    FileState,
    Merge,
    Proposal,
    ProposalState,
    Trace,
    TraceKind,
)
from inbox.models.proposal import UNDECIDED
from inbox.proposing import signals
from inbox.proposing.gathering import around
from inbox.proposing.sides import Side
from inbox.proposing.signals import Found
from inbox.proposing.verdict import Line, Verdict
from inbox.proposing.weighing import weigh
from inbox.wake import GAP, wake_for

log = logging.getLogger(__name__)
T = TypeVar("T")
SMALLEST_FILE = 2_000  # bytes; below it is a logo or a dot
TELLING = 3  # points of a line that is worth asking again
DECIDED = (ProposalState.DIFFERENT, ProposalState.ACCEPTED)  # accepted and yet two people: it was taken back


def look(entry_id: int) -> None:
    """Safe to call any number of times."""
    for _ in range(ATTEMPTS):
        owner = Entry.objects.filter(pk=entry_id).values_list("identity__customer", flat=True).first()
        if owner is None:
            return
        try:
            is_news = _note(entry_id, owner)
        except Moved:
            continue
        if is_news:
            propose(Customer.objects.get(pk=owner).current())
        Considered.objects.bulk_create([Considered(entry_id=entry_id)], ignore_conflicts=True)
        return
    raise Moved


def look_soon(entry: Entry, *, gap: float = GAP) -> None:
    """When what it says is safe, or more is known of who said it."""
    wake_for(look_task, entry.pk, gap=gap)


@shared_task(name="inbox.proposing.look")
def look_task(*entry_ids: int) -> None:
    look_at_each(entry_ids)


@transaction.atomic
def _note(entry_id: int, owner: int) -> bool:
    """Whether it tells anything new. Under their lock: what is being erased leaves no trace. Raises Moved."""
    lock(owner)
    entry = Entry.objects.select_related("identity__customer").get(pk=entry_id)
    if entry.identity is None or entry.identity.customer_id != owner:
        raise Moved
    if not _tells(entry):
        return False
    _learn_language(entry.identity, entry.text)
    return _remember(entry.identity, of_identity(entry.identity), _of_entry(entry), entry)


def _tells(entry: Entry) -> bool:
    """Forged mail imitates somebody on purpose."""
    identity = entry.identity
    forged = entry.authenticity == Authenticity.FAIL or identity is None or identity.scope == UNPROVEN
    gone = entry.unsent_at or entry.erased_at
    return entry.kind == EntryKind.MESSAGE and not gone and not forged


def _learn_language(identity: Identity, text: str) -> None:
    language = languages.guessed(text)
    if language and language != identity.writes_in:
        Identity.objects.filter(pk=identity.pk).update(writes_in=language)


def _of_entry(entry: Entry) -> list[Found]:
    files = Attachment.objects.filter(entry=entry, state=FileState.STORED, size__gte=SMALLEST_FILE).exclude(sha256="")
    told = signals.told_in(entry.subject, entry.text, entry.channel)
    return [*told, *(Found(TraceKind.FILE, each) for each in files.values_list("sha256", flat=True)[:20])]


def of_identity(identity: Identity) -> list[Found]:
    return signals.of_address(identity.kind, identity.value, identity.handle, identity.customer.name)


def _remember(identity: Identity, of_address: Sequence[Found], told: Sequence[Found], entry: Entry) -> bool:
    """Whether any of it is new; what was told is kept with its message."""
    values = {each.value for each in (*of_address, *told)}
    traces = Trace.objects.filter(identity=identity, value__in=values)
    known = {(each.kind, each.value): each for each in traces}
    rows: dict[tuple[str, str], Trace] = {}
    for source, found in ((entry, told), (None, of_address)):
        for each in found:
            if (each.kind, each.value) not in known:
                trace = Trace(identity=identity, kind=each.kind, value=each.value, manner=each.manner, entry=source)
                rows.setdefault((each.kind, each.value), trace)
    if rows:
        Trace.objects.bulk_create(rows.values(), ignore_conflicts=True)
    plainer = [each for each in told if each.manner and (old := known.get((each.kind, each.value))) and not old.manner]
    for each in plainer:
        Trace.objects.filter(pk=known[each.kind, each.value].pk).update(manner=each.manner, entry=entry)
    return bool(rows or plainer)


# Proposals


def propose(customer: Customer) -> None:
    """Weighs this person against everybody around them, again for those who were proposed before."""
    before = {
        one if other == customer.pk else other: state in UNDECIDED
        for one, other, state in Proposal.objects.of([customer.pk]).values_list("one", "other", "state")
    }
    found = around(customer, [pk for pk, is_undecided in before.items() if is_undecided])
    if found is None:
        return
    for side in found.sides.values():
        verdict = weigh(found.me, side, found.owners)
        if verdict.strength or before.get(side.pk):
            _settle(found.me, side, verdict)


def look_at_each(entry_ids: Iterable[int]) -> None:
    _each(look, entry_ids)


def propose_each(people: Iterable[Customer]) -> None:
    _each(lambda person: propose(person.current()), people)


def _each(do: Callable[[T], None], among: Iterable[T]) -> None:
    """One that breaks off holds up nobody behind it; without the database all are tried again."""
    for one in among:
        try:
            do(one)
        except (InterfaceError, OperationalError):
            raise
        except Exception:  # a fault of ours, logged with its trace; the next one may be free of it
            log.exception("%r could not be weighed", one)


def _settle(me: Side, side: Side, verdict: Verdict) -> None:
    """Notes what speaks for it; tells the agents who have one of them open when it is news."""
    one, other = sorted((me.pk, side.pk))
    with transaction.atomic():
        if not _are_still_there(one, other):
            return
        proposal = Proposal.objects.select_for_update().filter(one=one, other=other).first()
        if verdict.strength is None:
            if proposal and proposal.is_undecided:
                proposal.state = ProposalState.DROPPED
                proposal.save(update_fields=["state"])
                announce(to_review)
            return
        if not _is_worth_asking(proposal, me, side, verdict):
            return
        is_news = proposal is None or not proposal.is_undecided or proposal.strength != verdict.strength
        if proposal is None:
            proposal, _ = Proposal.objects.get_or_create(
                one_id=one, other_id=other, defaults={"strength": verdict.strength}
            )
        if not proposal.is_undecided:
            proposal.state, proposal.made_at = ProposalState.OPEN, now()
        proposal.points, proposal.strength = verdict.points, verdict.strength
        proposal.save(update_fields=["points", "strength", "state", "made_at"])
        _write_down(proposal, verdict.lines)
        if is_news:
            announce(to_review)
    if is_news:
        _announce([me.pk, side.pk])


def _are_still_there(one: int, other: int) -> bool:
    """Under the lock of both: since they were weighed, one may have been erased, or found to be somebody else."""
    try:
        return not any(each.erased_at for each in lock(one, other))
    except Moved:
        return False


def _is_worth_asking(proposal: Proposal | None, me: Side, side: Side, verdict: Verdict) -> bool:
    """Somebody said that these are different people: only something new that speaks for it is asked again."""
    if proposal and proposal.is_undecided:
        return True
    some, others = (Customer(pk=each.pk).family() for each in (me, side))
    decided = Proposal.objects.between(some, others).filter(state__in=DECIDED)
    known = set(decided.values_list("evidence__kind", "evidence__value"))
    if not known and Merge.objects.have_parted(Customer(pk=me.pk), Customer(pk=side.pk)):
        _remember_that_they_parted(me, side, verdict)
        return False
    new = [line for line in verdict.lines if line.points >= TELLING and (line.kind, line.value) not in known]
    return bool(new) or not known


def _remember_that_they_parted(me: Side, side: Side, verdict: Verdict) -> None:
    """They were joined by hand, and told apart again: what is known by now was known then."""
    one, other = sorted((me.pk, side.pk))
    assert verdict.strength
    defaults = {"strength": verdict.strength, "points": verdict.points, "state": ProposalState.DIFFERENT}
    proposal, _ = Proposal.objects.update_or_create(one_id=one, other_id=other, defaults=defaults)
    _write_down(proposal, verdict.lines)


def _write_down(proposal: Proposal, lines: Iterable[Line]) -> None:
    """The lines as they are now; those that hold no longer go."""
    rows = [
        Evidence(
            proposal=proposal,
            kind=line.kind,
            is_for=line.is_for,
            points=line.points,
            value=line.value,
            words=line.words,
            one_entry_id=line.entries.get(proposal.one_id),
            other_entry_id=line.entries.get(proposal.other_id),
        )
        for line in lines
    ]
    changing = ["is_for", "points", "words", "one_entry", "other_entry"]
    proposal.evidence.exclude(pk__in=_still(proposal, rows)).delete()
    Evidence.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["proposal", "kind", "value"], update_fields=changing
    )


def _still(proposal: Proposal, rows: Sequence[Evidence]) -> list[int]:
    holds = {(row.kind, row.value) for row in rows}
    return [each.pk for each in proposal.evidence.all() if (each.kind, each.value) in holds]


def _announce(people: Sequence[int]) -> None:
    for case in Case.objects.live().main().filter(customer__in=people):
        with locked(case) as current:
            current.changed()


def to_review() -> dict[str, Any]:
    """That there is more, or less, to answer: who may answer asks how much."""
    return {"kind": "review"}
