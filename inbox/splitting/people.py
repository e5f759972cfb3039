"""Somebody else wrote this: chosen messages go to another person. A number that was handed on may go with them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.db import transaction
from django.utils.timezone import now

from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox.locking import ATTEMPTS, Moved, lock
from inbox.merging.carrying import carry
from inbox.merging.journal import repoint
from inbox.models import Agent, Case, Entry, EntryKind, Regrouping, RegroupingKind, Status
from inbox.splitting.cards import follow, forget_moves_between
from inbox.splitting.hiding import refuse_closed
from inbox.splitting.journal import CannotSplit, note, number_of
from inbox.splitting.matters import FROM_OUTSIDE, hide, picked_in, spoken, states
from inbox.splitting.settling import record, settle


def hand_over(
    case: Case,
    entries: Sequence[int],
    *,
    by: Agent,
    to: Customer | None = None,
    name: str = "",
    with_address: bool = False,
) -> Regrouping:
    """`to`: who wrote them, or None for somebody new, called `name`.

    The addresses stay whose they are, unless `with_address`: then those that these messages came from are the other
    person's from now on. Raises CannotSplit.
    """
    if to is None and not (name or with_address):
        raise CannotSplit("Say what they are called, or that the address is theirs.")
    for _ in range(ATTEMPTS):
        left = Case.objects.get(pk=case.current().pk)
        people = [left.customer.current().pk, *([Customer.objects.get(pk=to.pk).current().pk] if to else [])]
        if len({*people}) < len(people):
            raise CannotSplit("That is the person who has these messages now.")
        try:
            with transaction.atomic():
                locked = {each.pk: each for each in lock(*people)}
                left = Case.objects.select_related("customer", "assignee", "team").get(pk=left.pk)
                if left.merged_into_id or left.customer.current().pk != people[0]:
                    continue
                other = locked[people[1]] if to else _somebody_new(name)
                return _hand_over(left, picked_in(left, entries), other, by, with_address, is_new=to is None)
        except Moved:
            continue
    raise CannotSplit("Somebody else is changing these people right now. Look again.")


def _somebody_new(name: str) -> Customer:
    return Customer.objects.create(name=name[:200], named_by_agent=bool(name), has_written=True)


def _hand_over(
    left: Case, picked: Sequence[Entry], other: Customer, by: Agent, with_address: bool, *, is_new: bool
) -> Regrouping:
    owner = left.customer.current()
    live = Case.objects.live_of(other)
    refuse_closed(by, left, *([live] if live else []))
    came = live or _begin(left, picked, other)
    regrouping = Regrouping.objects.create(
        kind=RegroupingKind.PERSON,
        from_case=left,
        to_case=came,
        by=by,
        entries={str(each.pk): each.case_id for each in picked},
        before={"states": states(left, came), "began": live is None, "began_person": is_new},
    )
    before = regrouping.before
    before["ties"] = _cut_ties(left, picked)
    before["identities"] = _give_addresses(owner, other, picked, by) if with_address else []
    before["authors"] = _name_authors(other, picked)
    hide(regrouping, left, came)
    carry({each.pk: came.pk for each in picked})
    follow(regrouping, [left, came])
    forget_moves_between(left.family(), came.family())
    came.team_ids = list(
        dict.fromkeys([*came.team_ids, *(each.connector.team_id for each in picked if each.connector)])
    )
    before["ended"] = _end_if_empty(left)
    regrouping.save(update_fields=["before"])
    how_many = number_of(picked)
    here, there = note(
        regrouping,
        by,
        f"said that {other.shown_name} wrote {how_many}: #{came.pk}",
        f"moved {how_many} here: #{left.pk}",
    )
    for case, marker in ((left, here), (came, there)):
        case.count_beside()
        settle(case)
        record(case, marker, "is_live", "resolved_at")
    return regrouping


def _begin(left: Case, picked: Sequence[Entry], other: Customer) -> Case:
    """In the state of the one that they wrote in, and with the same people."""
    first = next((each for each in picked if each.kind in FROM_OUTSIDE), picked[0])
    return Case.objects.create(
        customer=other,
        subject=(first.subject or " ".join(first.text.split()))[:300],
        team=left.team,
        team_ids=left.team_ids,
        sensitive=left.sensitive,
        named_ids=left.named_ids,
        assignee=left.assignee,
        reply_token=secrets.token_hex(16),
        created_at=first.created_at,
        status=Status.OPEN if left.is_live else Status.RESOLVED,
        is_live=left.is_live,
        resolved_at=left.resolved_at,
    )


def _cut_ties(left: Case, picked: Sequence[Entry]) -> dict[str, list[object]]:
    """A reply to the one is no answer to the other; what was answered by it is open again where that still matters."""
    moved = {each.pk for each in picked}
    family = left.timeline()
    across = family.filter(pk__in=moved, tied_by__isnull=False).exclude(tied_by__in=moved)
    across |= family.filter(tied_by__in=moved).exclude(pk__in=moved)
    tied: dict[str, list[object]] = {
        str(each.pk): [each.tied_by_id, each.tied_at.isoformat() if each.tied_at else "", each.tied_by_agent_id]
        for each in across
    }
    Entry.objects.filter(pk__in=[*map(int, tied)]).update(
        is_open=left.is_live, tied_by=None, tied_at=None, tied_by_agent=None
    )
    return tied


def _give_addresses(owner: Customer, other: Customer, picked: Sequence[Entry], by: Agent) -> list[int]:
    wrote = {each.identity_id for each in picked if each.kind == EntryKind.MESSAGE and each.identity_id}
    found = list(Identity.objects.filter(pk__in=wrote, customer=owner).order_by("pk"))
    about = {"customer": other, "reason": LinkReason.ADDED, "made_by": by}
    words = f"{by.name}: {owner.shown_name} has it no longer"[:200]
    repoint(other, [IdentityLink(identity=each, words=words, **about) for each in found], by)
    return [each.pk for each in found]


def _name_authors(other: Customer, picked: Sequence[Entry]) -> dict[str, str]:
    wrote = [each for each in picked if each.kind == EntryKind.MESSAGE and not each.erased_at]
    for each in wrote:
        name = other.name or (each.identity.shown if each.identity else "")
        Entry.objects.filter(pk=each.pk).update(author=name[:200])
    return {str(each.pk): each.author for each in wrote}


def _end_if_empty(case: Case) -> bool:
    """All of it was somebody else's: nothing is left to do here."""
    if not case.is_live or spoken(case).exists():
        return False
    case.status, case.is_live, case.resolved_at, case.snoozed_until = Status.RESOLVED, False, now(), None
    return True
