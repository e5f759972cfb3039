"""It belonged where it was: what was moved goes back, and nothing that came since is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from customers.models import Customer, Identity
from inbox.locking import ATTEMPTS, Moved, lock
from inbox.merging.cards import keep_one
from inbox.merging.carrying import carry
from inbox.merging.journal import put_back, repoint
from inbox.merging.parting import link_as_before
from inbox.merging.showing import show
from inbox.models import Agent, Alert, AnotherIsLive, Case, Draft, Entry, Regrouping, RegroupingKind, Status
from inbox.splitting.cards import come_back
from inbox.splitting.hiding import hide_before_going_back, show_again
from inbox.splitting.journal import CannotSplit, forget_markers, number_of
from inbox.splitting.matters import spoken
from inbox.splitting.settling import CHANGED, record, settle

STAYS_HIDDEN = ". This case stays sensitive: what was written in it meanwhile may tell of the other"


def undo(regrouping: Regrouping, *, by: Agent) -> Regrouping:
    """At any time. What was put elsewhere again since stays there. Raises CannotSplit when it was undone before."""
    for _ in range(ATTEMPTS):
        today = Regrouping.objects.select_related("from_case__customer", "to_case__customer").get(pk=regrouping.pk)
        people = {today.from_case.customer.current().pk, today.to_case.customer.current().pk}
        try:
            with transaction.atomic():
                lock(*people)
                fresh = Regrouping.objects.select_related("from_case__customer", "to_case__customer").get(pk=today.pk)
                if fresh.undone_at:
                    raise CannotSplit("This was taken back before.")
                if {fresh.from_case.customer.current().pk, fresh.to_case.customer.current().pk} != people:
                    continue
                _take_back(fresh, by)
                return fresh
        except Moved:
            continue
    raise CannotSplit("Somebody else is changing these cases right now. Look again.")


def _take_back(regrouping: Regrouping, by: Agent) -> None:
    regrouping.undone_at, regrouping.undone_by = now(), by
    regrouping.save(update_fields=["undone_at", "undone_by"])
    forget_markers(regrouping)
    if regrouping.kind == RegroupingKind.REJOINED:
        _stand_alone_again(regrouping, by)
    else:
        _send_back(regrouping, by)


# What was moved


def _send_back(regrouping: Regrouping, by: Agent) -> None:
    lie_there = Entry.objects.filter(pk__in=[*map(int, regrouping.entries)], case=regrouping.to_case_id)
    back = {pk: regrouping.entries[str(pk)] for pk in lie_there.order_by("pk").values_list("pk", flat=True)}
    left, came = regrouping.from_case.current(), regrouping.to_case.current()
    if regrouping.kind == RegroupingKind.PERSON:
        _be_one_person_again(regrouping, [*back])
    hide_before_going_back(regrouping, left, came)
    others = _other_homes(back, left, came)
    carry(back)
    for case in others:
        _open_again(case, by, always=False)
        _show_again(case)
    if left.pk == came.pk:  # joined since: they are read as one anyway
        _say(left, regrouping, by, back)
        return
    _open_again(left, by, always=regrouping.before.get("ended", False))
    come_back(regrouping, back, [left, came])
    stays_hidden = not show_again(regrouping, came, back)
    if not spoken(came).exists():
        _end(came, left, regrouping)
    for case in (left, came):
        if case.merged_into_id is None:
            case.count_beside()
            _say(case, regrouping, by, back, STAYS_HIDDEN if stays_hidden and case == came else "")


def _other_homes(back: dict[int, int], left: Case, came: Case) -> list[Case]:
    """Cases that were one with the one it left, and stand alone since. What lay in one that is another person's by now,
    or is seen by others, goes to the one it left."""
    people = {left.customer.current().pk, came.customer.current().pk}
    others: dict[int, Case] = {}
    for pk, home in back.items():
        root = Case.objects.select_related("customer").get(pk=home).current()
        if root.pk in (left.pk, came.pk):
            continue
        if root.customer.current().pk in people and root.named_ids == left.named_ids:
            others[root.pk] = root
        else:
            back[pk] = left.pk
    return [*others.values()]


def _show_again(case: Case) -> None:
    keep_one(case)
    settle(case)
    show(case)
    case.changed(None, *CHANGED)


def _open_again(case: Case, by: Agent, *, always: bool) -> None:
    """What is unanswered must not lie in a case that nobody looks at. `always`: it ended, for this was all it had."""
    if case.is_live or not (always or case.open_entries().exists()):
        return
    try:
        case.reopen(by=by, because="reopened it: what was moved away came back")
    except AnotherIsLive as another:
        raise CannotSplit(
            f"#{case.pk} is resolved, and #{another.case.pk} is live. Move it there instead."
        ) from another


def _end(case: Case, into: Case, regrouping: Regrouping) -> None:
    """Nothing is left of what was begun: the empty case becomes part of the other, so that its address still leads
    somewhere."""
    Alert.objects.filter(case=case).update(case=into)
    Draft.objects.filter(case=case, text="").delete()
    Draft.objects.filter(case=case).exclude(agent__in=Draft.objects.filter(case=into).values("agent")).update(case=into)
    person, owner = case.customer.current(), into.customer.current()
    case.is_live, case.merged_into, case.customer = False, into, owner
    case.sensitive, case.named_ids = into.sensitive, into.named_ids
    Case.objects.filter(pk__in=case.family()).update(sensitive=case.sensitive, named_ids=case.named_ids)
    case.changed(None, "is_live", "merged_into", "customer")
    if person.pk != owner.pk and regrouping.before.get("began_person") and not person.identities.exists():
        Customer.objects.filter(pk=person.pk).update(merged_into=owner)


def _say(case: Case, regrouping: Regrouping, by: Agent, back: dict[int, int], more: str = "") -> None:
    gone = case.pk == regrouping.to_case.current().pk != regrouping.from_case.current().pk
    words = f"{'gave' if gone else 'took'} {number_of(back)} back{'' if gone else ' here'}{more}"
    settle(case)
    record(case, Entry.event_of("regrouped", words, by=by))


def _be_one_person_again(regrouping: Regrouping, back: Sequence[int]) -> None:
    left, came = regrouping.from_case.customer.current(), regrouping.to_case.customer.current()
    gave = Identity.objects.filter(pk__in=regrouping.before.get("identities", []), customer=came).order_by("pk")
    repoint(left, [link_as_before(each, left) for each in gave], regrouping.undone_by)
    for pk, name in regrouping.before.get("authors", {}).items():
        Entry.objects.filter(pk=pk, pk__in=back, erased_at=None).update(author=name)
    for pk, (reply, at, agent) in regrouping.before.get("ties", {}).items():
        still_open = Entry.objects.filter(pk=pk, is_open=True, tied_by=None)
        if Entry.objects.filter(pk=reply, unsent_at=None).exists():
            tied_at = datetime.fromisoformat(at) if at else None
            still_open.update(is_open=False, tied_by=reply, tied_at=tied_at, tied_by_agent=agent)


# What was joined


def _stand_alone_again(regrouping: Regrouping, by: Agent) -> None:
    older, newer = regrouping.to_case.current(), regrouping.from_case
    if newer.merged_into_id != regrouping.to_case_id:
        raise CannotSplit(f"#{newer.pk} has become part of another case since.")
    if not older.is_live:
        raise CannotSplit(f"#{older.pk} is resolved. Reopen it first.")
    _refuse_empty(older, newer)
    was = regrouping.before["states"]
    newer.merged_into, newer.is_live, newer.customer = None, True, older.customer.current()
    newer.changed(None, "merged_into", "is_live", "customer")
    hidden = [
        case
        for case, other in ((older, newer), (newer, older))
        if not show_again(regrouping, case, other.timeline().values_list("pk", flat=True))
    ]
    _give_back(regrouping, older, was[str(regrouping.to_case_id)])
    if older.assignee and not older.may_be_given_to(older.assignee):
        older.assignee = None
    Alert.objects.filter(switch__entry__case__in=newer.family(), case=older).update(case=newer)
    Alert.objects.filter(pk__in=regrouping.before.get("alerts", []), switch__acknowledged_at=None).update(
        closed_at=None
    )
    for draft, pk in regrouping.before.get("drafts", {}).items():
        Draft.objects.filter(pk=draft, case=older).update(case=pk)
    for case in (older, newer):
        keep_one(case)
        case.count_beside()
        settle(case)
        if not case.open_entries().exists() and case.status == Status.OPEN:
            case.status = Status.WAITING
        words = "said that these are two matters after all" + (STAYS_HIDDEN if case in hidden else "")
        record(case, Entry.event_of("regrouped", words, by=by), "snoozed_by")


def _refuse_empty(older: Case, newer: Case) -> None:
    """Each must have something left to say."""
    theirs = newer.family()
    here = spoken(older).exclude(case__in=theirs)
    for case, said in ((older, here), (newer, spoken(newer))):
        if not said.exists():
            raise CannotSplit(f"Everything in #{case.pk} was moved elsewhere since. Take that back first.")


def _give_back(regrouping: Regrouping, older: Case, was: dict[str, object]) -> None:
    """As it was before, as far as nobody has changed it on purpose since."""
    if older.assignee_id == was["assignee_then"]:
        older.assignee_id = was["assignee"]  # type: ignore[assignment]
    if older.status == Status.SNOOZED or was["status"] == Status.SNOOZED:
        put_back(older, was)
    brought = [team for team in older.team_ids if team not in was["team_ids"]]  # type: ignore[operator]
    came = {*regrouping.from_case.team_ids}
    older.team_ids = [team for team in older.team_ids if team not in brought or team not in came]
