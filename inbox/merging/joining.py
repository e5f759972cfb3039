"""This is the same person: identities are re-pointed, cases get a pointer, nothing is moved or destroyed."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import models, transaction
from django.db.models import Max, Q
from django.utils.timezone import now

from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox.locking import ATTEMPTS, Moved, lock
from inbox.merging import journal
from inbox.merging.journal import CannotJoin, NotAllowed
from inbox.merging.showing import SHOWN, show
from inbox.models import Agent, Alert, Attachment, Case, Draft, Entry, Merge, Status

TAKEN_OVER = ("customer", "status", "snoozed_until", "snoozed_by", "assignee", "team_ids", "beside")


def candidates(query: str, agent: Agent) -> list[Customer]:
    """People the agent may see whose name or address starts with the query, at most ten."""
    query = query.strip()
    if len(query) < 2:
        return []
    found = Customer.objects.current().filter(
        Q(name__istartswith=query) | Q(name__icontains=f" {query}") | Q(identities__value__startswith=query.lower())
    )
    if not agent.is_supervisor:
        found = found.filter(cases__in=Case.objects.visible_to(agent))
    return list(found.distinct().order_by("name", "pk").prefetch_related("identities")[:10])


def join(survivor: Customer, absorbed: Customer, *, by: Agent, reason: str = "", theirs: Collection[str] = ()) -> Merge:
    """Two customers become one; their live cases too, and the older one goes on. `theirs`: the fields of which the
    absorbed person's value holds; of others the survivor's, unless there is none. Raises CannotJoin."""
    if not by.is_allowed_to_join:
        raise NotAllowed(journal.MAY_NOT_JOIN)
    for _ in range(ATTEMPTS):
        first, second = (Customer.objects.get(pk=each.pk).current() for each in (survivor, absorbed))
        if first.pk == second.pk:
            raise CannotJoin("These are already the same person.")
        if first.is_a_line != second.is_a_line:
            raise CannotJoin("One of them is a line that several people share. Say on its page who writes from it.")
        try:
            with transaction.atomic():
                customers = {each.pk: each for each in lock(first.pk, second.pk)}
                both = (customers[first.pk], customers[second.pk])
                if any(each.erased_at for each in both):
                    raise CannotJoin("What we knew of one of them was erased: nobody can say who that was.")
                return join_locked(*both, by=by, reason=reason, theirs=theirs)
        except Moved:
            continue
    raise CannotJoin("Somebody else is joining these people right now. Look again.")


def join_locked(
    survivor: Customer,
    absorbed: Customer,
    *,
    by: Agent | None,
    reason: str = "",
    proven: Identity | None = None,
    entry: UUID | None = None,
    theirs: Collection[str] = (),
) -> Merge:
    """As `join`, for a caller that holds the lock of both. An agent joins nobody with a case that is closed to them.

    `proven` is the absorbed person's address that returned a code; `entry`, by uuid, the message it did so in.
    """
    both = [*survivor.family(), *absorbed.family()]
    if by and Case.objects.closed_to(by).filter(customer__in=both).exists():
        raise NotAllowed(journal.IS_CLOSED)
    if not somebody_sees_both(survivor, absorbed):
        raise CannotJoin(journal.NOBODY_SEES_BOTH)
    merge = Merge.objects.create(
        survivor=survivor,
        absorbed=absorbed,
        identities=list(absorbed.identities.values_list("pk", flat=True)),
        cases=list(Case.objects.filter(customer__in=absorbed.family()).values_list("pk", flat=True)),
        newest_entry=_newest(Entry),
        newest_case=_newest(Case),
        before={"person": journal.person(survivor)},
        reason=reason[:300],
        by=by,
        proven_at=now() if proven else None,
    )
    words = reason or f"{by.name if by else 'We'}: the same person as {survivor.shown_name}"
    about = {"customer": survivor, "words": words[:200], "entry_uuid": entry, "made_by": by}
    code = proven.pk if proven else None
    reasons = {pk: LinkReason.CODE if pk == code else LinkReason.JOINED for pk in merge.identities}
    links = [IdentityLink(identity_id=pk, reason=reasons[pk], **about) for pk in merge.identities]
    journal.repoint(survivor, links, by)
    _join_people(survivor, absorbed, theirs)
    merge.before["person_then"] = journal.fields(survivor)
    _join_cases(merge, by)
    merge.save(update_fields=["before"])
    return merge


def somebody_sees_both(one: Customer, other: Customer) -> bool:
    """Whether an agent who is still there may read as one what becomes one case by joining them."""
    live = list(Case.objects.live().main().filter(customer__in=[one, other]))
    named = live[0].named_with(live[1]) if len(live) == 2 else None
    return named is None or Agent.objects.active().filter(pk__in=named).exists()


def _newest(model: type[models.Model]) -> int:
    """Under the lock, whatever these people get from now on has a higher id."""
    newest: int | None = model._default_manager.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _join_people(survivor: Customer, absorbed: Customer, theirs: Collection[str]) -> None:
    absorbed.merged_into = survivor
    absorbed.save(update_fields=["merged_into"])
    survivor.has_written = survivor.has_written or absorbed.has_written
    for name in journal.FIELDS:
        if name in theirs or not getattr(survivor, name):
            setattr(survivor, name, getattr(absorbed, name))
            if name == "name":
                survivor.named_by_agent = absorbed.named_by_agent
    survivor.save(update_fields=["has_written", "named_by_agent", *journal.FIELDS])


def _join_cases(merge: Merge, by: Agent | None) -> None:
    """At most two live main cases; the older goes on. A case of the absorbed person alone simply changes hands."""
    people = [merge.survivor, merge.absorbed]
    live = list(Case.objects.live().main().filter(customer__in=people).order_by("pk"))
    if not live:
        return
    older, newer = live[0], live[1:]
    was = journal.state(older)
    for case in newer:
        take_in(merge.before, older, case)
    merge.before["cases"] = {str(older.pk): was | {"assignee_then": older.assignee_id}}
    older.customer = merge.survivor
    older.count_beside()
    show(older)
    brought = [case.pk for case in newer]
    older.record(Entry.event_of("joined", _words(merge, by), by=by, merge=merge.pk, cases=brought), *TAKEN_OVER, *SHOWN)


def _words(merge: Merge, by: Agent | None) -> str:
    they = f"{merge.absorbed.shown_name} and {merge.survivor.shown_name} are the same person"
    return f"said that {they}" if by else f"{they}: {merge.reason}"


def take_in(before: journal.State, older: Case, newer: Case) -> None:
    """The newer case becomes part of the older one. `before`: of the journal; gets which alerts and drafts changed."""
    journal.hide_together(before, older, newer)
    newer.is_live, newer.merged_into = False, older
    newer.changed(None, "is_live", "merged_into")
    older.team_ids = list(dict.fromkeys([*older.team_ids, *newer.team_ids]))
    older.assignee = older.assignee or newer.assignee
    _take_over_state(older, newer)
    before["alerts"] = _keep_one_alert(older, newer)
    before["drafts"] = _move_drafts(older, newer)


def _take_over_state(older: Case, newer: Case) -> None:
    """The more urgent of both: open, then the snooze that ends first, then waiting."""
    if Status.OPEN in (older.status, newer.status):
        older.status, older.snoozed_until = Status.OPEN, None
    elif newer.snoozed_until and (older.snoozed_until is None or newer.snoozed_until < older.snoozed_until):
        older.status, older.snoozed_until, older.snoozed_by = Status.SNOOZED, newer.snoozed_until, newer.snoozed_by


def _keep_one_alert(older: Case, newer: Case) -> list[int]:
    """The card of the absorbed case lives on where people look now, unless there is one already. Those closed."""
    alerts = Alert.objects.open().filter(case=newer)
    if not Alert.objects.open().filter(case=older).exists():
        alerts.update(case=older)
        return []
    closed = list(alerts.values_list("pk", flat=True))
    alerts.update(closed_at=now())
    return closed


def _move_drafts(older: Case, newer: Case) -> dict[str, int]:
    """An agent writes one reply and one note per case: what was begun in both becomes one text, with all its files."""
    moved = {}
    for draft in Draft.objects.filter(case=newer):
        is_note = Q(channel="note")
        kept = Draft.objects.filter(is_note if draft.channel == "note" else ~is_note, case=older, agent=draft.agent)
        there = kept.order_by("-saved_at").first()
        if there is None:
            Draft.objects.filter(pk=draft.pk).update(case=older)
            moved[str(draft.pk)] = newer.pk
            continue
        there.text = "\n\n".join(text for text in (there.text, draft.text) if text.strip())
        there.subject, there.cc, there.bcc = (
            getattr(there, name) or getattr(draft, name) for name in ("subject", "cc", "bcc")
        )
        there.save(update_fields=["text", "subject", "cc", "bcc"])
        Attachment.objects.filter(draft=draft).update(draft=there)
        draft.delete()
    return moved
