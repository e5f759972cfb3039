"""This is the same person: identities are re-pointed, cases get a pointer, nothing is moved or destroyed.

Undo reads the journal: identities go back, the case comes back as it was, and every later entry goes home by the
identity it came from.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox.locking import Moved, lock
from inbox.models import Agent, Alert, Case, Draft, Entry, Merge, Status, Team

ATTEMPTS = 8


class CannotJoin(Exception):
    """`reason` is a sentence for the agent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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


def join(survivor: Customer, absorbed: Customer, *, by: Agent, reason: str = "") -> Merge:
    """Two customers become one; their live cases too, and the older one survives. Raises CannotJoin."""
    for _ in range(ATTEMPTS):
        first, second = survivor.current(), absorbed.current()
        if first.pk == second.pk:
            raise CannotJoin("These are already the same person.")
        try:
            with transaction.atomic():
                customers = {each.pk: each for each in lock(first.pk, second.pk)}
                return _join(customers[first.pk], customers[second.pk], by, reason)
        except Moved:
            continue
    raise CannotJoin("Somebody else is joining these people right now. Look again.")


def _join(survivor: Customer, absorbed: Customer, by: Agent, reason: str) -> Merge:
    identities = list(absorbed.identities.values_list("pk", flat=True))
    merge = Merge.objects.create(
        survivor=survivor, absorbed=absorbed, identities=identities, reason=reason[:300], by=by
    )
    _repoint(identities, survivor, by, reason or f"{by.name}: the same person as {survivor.shown_name}")
    absorbed.merged_into = survivor
    absorbed.save(update_fields=["merged_into"])
    _join_cases(merge, survivor, absorbed, by)
    return merge


def _repoint(identities: list[int], customer: Customer, by: Agent, words: str) -> None:
    Identity.objects.filter(pk__in=identities).update(customer=customer)
    IdentityLink.objects.filter(identity__in=identities, revoked_at=None).update(revoked_at=now(), revoked_by=by)
    IdentityLink.objects.bulk_create(
        [
            IdentityLink(identity_id=pk, customer=customer, reason=LinkReason.JOINED, words=words[:200], made_by=by)
            for pk in identities
        ]
    )


def _join_cases(merge: Merge, survivor: Customer, absorbed: Customer, by: Agent) -> None:
    """At most two live main cases; the older goes on. A case of the absorbed person alone simply changes hands."""
    live = list(Case.objects.live().main().filter(customer__in=[survivor, absorbed]).order_by("pk"))
    if len(live) < 2:
        for case in live:
            if case.customer_id == absorbed.pk:
                merge.absorbed_case, merge.absorbed_case_was = case, {"customer": absorbed.pk}
                merge.save(update_fields=["absorbed_case", "absorbed_case_was"])
                case.customer = survivor
                case.record(Entry.event_of("joined", _words(survivor, absorbed), by=by, merge=merge.pk), "customer")
        return
    older, newer = live
    merge.surviving_case, merge.absorbed_case = older, newer
    merge.absorbed_case_was = {"status": newer.status, "customer": newer.customer_id, "survivor": older.customer_id}
    merge.save(update_fields=["surviving_case", "absorbed_case", "absorbed_case_was"])
    newer.is_live, newer.merged_into = False, older
    newer.save(update_fields=["is_live", "merged_into"])
    Alert.objects.filter(case=newer).open().update(closed_at=now())
    for draft in Draft.objects.filter(case=newer):
        Draft.objects.get_or_create(
            case=older,
            agent=draft.agent,
            channel=draft.channel,
            defaults={"text": draft.text, "subject": draft.subject},
        )
    for team in Team.objects.filter(pk__in=newer.team_ids):
        older.share_with(team)
    older.customer = survivor
    _follow_latest(older)
    older.assignee = older.assignee or newer.assignee
    if older.status == Status.WAITING and older.open_entries().exists():
        older.status = Status.OPEN
    older.record(
        Entry.event_of("joined", _words(survivor, absorbed), by=by, merge=merge.pk, case=newer.pk),
        "customer",
        "assignee",
        "status",
        "channel",
        "channels",
        "last_inbound_id",
        "last_entry_id",
        "last_kind",
        "last_author",
        "last_at",
        "preview",
    )


def _words(survivor: Customer, absorbed: Customer) -> str:
    return f"said that {absorbed.shown_name} and {survivor.shown_name} are the same person"


def _follow_latest(case: Case) -> None:
    """What lists show, read again from the whole family in entry order."""
    spoken = case.timeline().exclude(kind__in=["event", "filed"]).order_by("-pk")
    last, message = spoken.first(), spoken.filter(kind="message").first()
    if last:
        case.last_entry_id, case.last_kind, case.last_at = last.pk, last.kind, last.created_at
        case.last_author, case.preview = last.author[:120], last.preview
    if message:
        case.last_inbound_id, case.channel = message.pk, message.channel
    seen = case.timeline().filter(kind="message").order_by("pk").values_list("channel", flat=True)
    case.channels = list(dict.fromkeys(seen))


SHOWN = [
    "channel",
    "channels",
    "last_inbound_id",
    "last_entry_id",
    "last_kind",
    "last_author",
    "last_at",
    "preview",
]


def undo(merge: Merge, *, by: Agent) -> None:
    """They are different people after all. Raises CannotJoin when it was undone before or a later join stands on it."""
    for _ in range(ATTEMPTS):
        merge.refresh_from_db()
        if merge.undone_at:
            raise CannotJoin("This was undone before.")
        survivor = merge.survivor.current()
        try:
            with transaction.atomic():
                Customer.objects.locked([survivor.pk, merge.absorbed_id])
                if merge.survivor.current().pk != survivor.pk:
                    raise Moved
                _undo(Merge.objects.get(pk=merge.pk), survivor, by)
                return
        except Moved:
            continue
    raise CannotJoin("Somebody else is changing these people right now. Look again.")


def _undo(merge: Merge, survivor: Customer, by: Agent) -> None:
    absorbed = Customer.objects.get(pk=merge.absorbed_id)
    absorbed.merged_into = None
    absorbed.save(update_fields=["merged_into"])
    _repoint(list(merge.identities), absorbed, by, f"{by.name}: not the same person as {survivor.shown_name}")
    merge.undone_at, merge.undone_by = now(), by
    merge.save(update_fields=["undone_at", "undone_by"])
    case = merge.absorbed_case
    if case is None:
        _rehome_later(merge, absorbed, None, by)
        return
    if merge.surviving_case_id:
        _part(merge, survivor, absorbed, by)
        return
    case.refresh_from_db()
    if case.customer_id == survivor.pk:
        case.customer = absorbed
        case.save(update_fields=["customer"])
    _follow_latest(case)
    case.record(Entry.event_of("parted", f"said that this is not {survivor.shown_name}", by=by), *SHOWN)


def _part(merge: Merge, survivor: Customer, absorbed: Customer, by: Agent) -> None:
    """Each case goes back to whose it was, whichever of them went on, and what came later goes home by its identity."""
    older, newer = merge.surviving_case, merge.absorbed_case
    assert older is not None
    assert newer is not None
    older.refresh_from_db()
    newer.refresh_from_db()
    if older.merged_into_id:
        raise CannotJoin("A later join stands on this one. Take that one back first.")
    was = merge.absorbed_case_was
    older.customer = absorbed if was.get("survivor") == absorbed.pk else survivor
    older.save(update_fields=["customer"])
    newer.customer = absorbed if was.get("customer") == absorbed.pk else survivor
    newer.merged_into = None
    newer.is_live = not Case.objects.live().main().filter(customer=newer.customer).exclude(pk=newer.pk).exists()
    newer.status = Status.WAITING if was.get("status") == Status.WAITING else Status.OPEN
    if not newer.is_live:  # that person has begun another one meanwhile
        newer.status, newer.resolved_at = Status.RESOLVED, now()
    newer.save(update_fields=["customer", "merged_into", "is_live", "status", "resolved_at"])
    later = Entry.objects.filter(case=older, created_at__gt=merge.at, identity__isnull=False)
    if newer.customer == survivor:
        later.exclude(identity__in=list(merge.identities)).update(case=newer)
        _refresh(newer, by, absorbed)
        _rehome_later(merge, absorbed, older, by)
        theirs = older
    else:
        _rehome_later(merge, absorbed, newer, by)
        theirs = newer
    theirs = Case.objects.get(pk=theirs.pk)
    _follow_latest(theirs)
    theirs.record(Entry.event_of("parted", f"said that this is not {survivor.shown_name}", by=by), *SHOWN)


def _rehome_later(merge: Merge, absorbed: Customer, case: Case | None, by: Agent) -> None:
    """Entries that came after the join and belong to the absorbed person's identities go to that person's case."""
    later = Entry.objects.filter(identity__in=list(merge.identities), created_at__gt=merge.at, case__isnull=False)
    stays_with = later.exclude(case__customer=absorbed).select_related("case")
    moved = list(stays_with)
    if not moved:
        if merge.surviving_case and merge.surviving_case != case:
            _refresh(merge.surviving_case, by, absorbed)
        return
    if case is None:
        team = moved[0].case.team if moved[0].case else merge.survivor.cases.first().team  # type: ignore[union-attr]
        case = Case.objects.start(absorbed, team, moved[0].subject or " ".join(moved[0].text.split()))
    homes = {entry.case for entry in moved if entry.case}
    Entry.objects.filter(pk__in=[entry.pk for entry in moved]).update(case=case)
    for home in homes:
        _refresh(home, by, absorbed)
    _follow_latest(case)
    case.changed(None, *SHOWN)


def _refresh(case: Case, by: Agent, absorbed: Customer) -> None:
    case = Case.objects.get(pk=case.pk)
    _follow_latest(case)
    case.record(Entry.event_of("parted", f"said that {absorbed.shown_name} is somebody else", by=by), *SHOWN)
