"""Two matters of one person at once: some messages go into a second live case, or from one live case into another."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from inbox.locking import locked
from inbox.merging.cards import keep_one
from inbox.merging.carrying import carry
from inbox.merging.joining import take_in
from inbox.merging.journal import State, secrecy, state
from inbox.models import Agent, Case, Entry, EntryKind, Regrouping, RegroupingKind
from inbox.models.case import SPOKEN
from inbox.models.entry import EntryQuerySet
from inbox.splitting.cards import closed_by_moving, follow, show_again
from inbox.splitting.hiding import hide_like, refuse_closed
from inbox.splitting.journal import CannotSplit, note, number_of
from inbox.splitting.settling import record, settle

FROM_OUTSIDE = (EntryKind.MESSAGE, EntryKind.PARTICIPANT)
MOST = 200


def split(case: Case, entries: Sequence[int], *, by: Agent) -> Regrouping:
    """These messages are another matter: a second live case of the same person. Raises CannotSplit."""
    with locked(case) as case:
        refuse_closed(by, case)
        if not case.is_live:
            raise CannotSplit("This case is resolved. Reopen it first.")
        picked = picked_in(case, entries)
        leave_something(case, picked, "Leave some of it here.")
        return regroup(case, begin(case, picked), picked, RegroupingKind.MATTER, by=by, began=True)


def move(case: Case, entries: Sequence[int], to: Case, *, by: Agent) -> Regrouping:
    """From one live case of a person into another. Raises CannotSplit."""
    with locked(case) as case:
        home = _of_same_person(case, to)
        refuse_closed(by, case, home)
        picked = picked_in(case, entries)
        leave_something(case, picked, f"Join it with #{home.pk} instead.")
        return regroup(case, home, picked, RegroupingKind.MOVED, by=by)


def rejoin(case: Case, other: Case, *, by: Agent) -> Regrouping:
    """One matter after all: two live cases of a person become one timeline. Nothing is moved. Raises CannotSplit."""
    with locked(case) as case:
        home = _of_same_person(case, other)
        refuse_closed(by, case, home)
        older, newer = sorted([case, home], key=lambda each: (each.split_off, each.pk))
        regrouping = Regrouping.objects.create(
            kind=RegroupingKind.REJOINED, from_case=newer, to_case=older, by=by, before={"states": states(older, newer)}
        )
        take_in(regrouping.before, older, newer)
        regrouping.before["states"][str(older.pk)]["assignee_then"] = older.assignee_id
        regrouping.save(update_fields=["before"])
        older.count_beside()
        show_again(older, closed_by_moving(older.family()))
        keep_one(older)
        _, marker = note(regrouping, by, "", f"joined #{newer.pk} with this: one matter after all")
        record(older, marker, "snoozed_by")
        return regrouping


def regroup(
    left: Case, came: Case, picked: Sequence[Entry], kind: RegroupingKind, *, by: Agent, began: bool = False
) -> Regrouping:
    """Both are live cases, or one that was just begun, of people who are locked."""
    regrouping = Regrouping.objects.create(
        kind=kind,
        from_case=left,
        to_case=came,
        by=by,
        entries={str(each.pk): each.case_id for each in picked},
        before={"states": states(left, came), "began": began},
    )
    hide(regrouping, left, came)
    carry({each.pk: came.pk for each in picked})
    follow(regrouping, [left, came])
    regrouping.save(update_fields=["before"])
    how_many = number_of(picked)
    here, there = note(regrouping, by, f"moved {how_many} to #{came.pk}", f"moved {how_many} here from #{left.pk}")
    for case, marker in ((left, here), (came, there)):
        case.count_beside()
        settle(case)
        record(case, marker)
    return regrouping


def hide(regrouping: Regrouping, left: Case, came: Case) -> None:
    """Before anything lies there; and how it was is noted."""
    before = regrouping.before
    before["hidden"] = secrecy(left, came)
    hide_like(came, left)
    before["hidden_then"] = secrecy(left, came)
    before["states"][str(came.pk)]["assignee_then"] = came.assignee_id


def begin(case: Case, picked: Sequence[Entry]) -> Case:
    """In the hands of those who had it; whoever may not see the one must not see the other."""
    first = next((each for each in picked if each.kind in FROM_OUTSIDE), picked[0])
    return Case.objects.create(
        customer=case.customer.current(),
        subject=(first.subject or " ".join(first.text.split()))[:300] or case.subject,
        split_off=True,
        team=case.team,
        team_ids=case.team_ids,
        sensitive=case.sensitive,
        named_ids=case.named_ids,
        assignee=case.assignee,
        reply_token=secrets.token_hex(16),
        created_at=first.created_at,
    )


def picked_in(case: Case, entries: Sequence[int]) -> list[Entry]:
    """Raises CannotSplit when some of them lie somewhere else by now."""
    wanted = {*entries}
    if not wanted:
        raise CannotSplit("Pick at least one message.")
    if len(wanted) > MOST:
        raise CannotSplit(f"Pick at most {MOST} messages at a time.")
    found = list(spoken(case).filter(pk__in=wanted).select_related("connector", "identity").order_by("pk"))
    if len(found) != len(wanted):
        raise CannotSplit("Some of these messages are not in this case any more. Look again.")
    return found


def leave_something(case: Case, picked: Sequence[Entry], otherwise: str) -> None:
    if not spoken(case).exclude(pk__in=[each.pk for each in picked]).exists():
        raise CannotSplit(f"That is all there is in this case. {otherwise}")


def spoken(case: Case) -> EntryQuerySet:
    return case.timeline().filter(kind__in=SPOKEN)


def _of_same_person(case: Case, other: Case) -> Case:
    home = Case.objects.select_related("customer", "assignee", "team").get(pk=other.current().pk)
    if home.pk == case.pk:
        raise CannotSplit("It is in this case already.")
    if home.customer.current().pk != case.customer.current().pk:
        raise CannotSplit(f"#{home.pk} is another person’s. Move it to another person instead.")
    if not (home.is_live and case.is_live):
        raise CannotSplit(f"#{case.pk if home.is_live else home.pk} is resolved. Reopen it first.")
    return home


def states(*cases: Case) -> dict[str, State]:
    return {str(case.pk): state(case) for case in cases}
