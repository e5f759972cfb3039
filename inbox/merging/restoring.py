"""After two people were told apart: their cases are again what they would be had nobody joined them."""

from __future__ import annotations

from django.db.models import Q
from django.utils.timezone import now

from customers.models import Customer
from inbox.merging import journal
from inbox.merging.cards import part_alerts
from inbox.merging.homes import OF_A_PERSON, Homes
from inbox.merging.showing import SHOWN, show
from inbox.models import Agent, Case, Draft, Entry, EntryKind, Merge, Status, Switch

CHANGED = ("status", "snoozed_until", "snoozed_by", "assignee", "team_ids", "beside")
VERBS = ("resolved", "reopened", "snoozed", "no_reply")


class Restoring:
    def __init__(self, merge: Merge, homes: Homes) -> None:
        self.merge, self.homes = merge, homes

    def restore(self, by: Agent) -> None:
        self._open_what_others_answered()
        self._show_what_was_hidden()
        for pk, was in self.merge.before.get("cases", {}).items():
            if int(pk) in self.homes.cases:  # else it left with somebody who joined and parted in between
                self._restore(self.homes.cases[int(pk)], was)
        self._bring_drafts_back()
        roots = {root.pk: root for root in map(self.homes.root, sorted(self.homes.touched))}
        for case in roots.values():
            case.team_ids = self._teams(case)
            if case.assignee and not case.may_be_given_to(case.assignee):
                case.assignee = None
            self._settle(case)
        part_alerts(self.merge, self.homes, roots.values())
        for case in roots.values():
            case.count_beside()
            show(case)
            case.record(Entry.event_of("parted", self._words(case), by=by), *CHANGED, *SHOWN)

    def _show_what_was_hidden(self) -> None:
        """Unless somebody hid it otherwise since, or wrote a note there: that may tell what the other said."""
        for pk, (why, named) in self.merge.before.get("hidden", {}).items():
            case = self.homes.cases.get(int(pk))
            if case is None or [case.sensitive, case.named_ids] != self.merge.before["hidden_then"]:
                continue
            if case.entries.filter(pk__gt=self.merge.newest_entry, kind=EntryKind.NOTE).exists():
                continue
            case.sensitive, case.named_ids = why, named
            case.save(update_fields=["sensitive", "named_ids"])
            self.homes.touched.add(case.pk)

    def _words(self, case: Case) -> str:
        stays, leaves = self.homes.stays, self.homes.leaves
        if self.homes.owner[case.pk] == leaves.pk:
            return f"said that this is not {stays.shown_name}"
        return f"said that {leaves.shown_name} is somebody else"

    def _open_what_others_answered(self) -> None:
        """A reply that went to the one is no answer to the other, unless somebody has called the matter done."""
        for mine, other in self._both():
            cases = self.homes.cases_of(mine)
            live = [pk for pk in cases if self.homes.root(pk).is_live]
            since = Entry.objects.filter(kind=EntryKind.REPLY, identity__customer=other, pk__gt=self.merge.newest_entry)
            tied = Entry.objects.filter(case__in=live, tied_by__in=since)
            self.homes.touched |= set(tied.values_list("case", flat=True))
            tied.update(is_open=True, tied_by=None, tied_at=None, tied_by_agent=None)
            acknowledged = Switch.objects.filter(case__in=live, acknowledged_at__in=since.values("created_at"))
            acknowledged.update(acknowledged_at=None)

    def _both(self) -> list[tuple[Customer, Customer]]:
        stays, leaves = self.homes.stays, self.homes.leaves
        return [(stays, leaves), (leaves, stays)]

    def _restore(self, case: Case, was: journal.State) -> None:
        """The case that went on. What was done to it since on purpose holds."""
        if case.assignee_id == was["assignee_then"]:
            case.assignee_id = was["assignee"]
        if case.status != Status.RESOLVED and not self._has_news(case) and not self._was_handled(case):
            journal.put_back(case, was)
        case.team_ids = self._teams(case)
        case.save(update_fields=CHANGED)
        self.homes.touched.add(case.pk)

    def _has_news(self, case: Case) -> bool:
        since = Entry.objects.filter(case__in=case.family(), pk__gt=self.merge.newest_entry)
        return since.filter(kind__in=OF_A_PERSON).exists()

    def _was_handled(self, case: Case) -> bool:
        since = case.entries.filter(pk__gt=self.merge.newest_entry, event__in=VERBS)
        return since.exclude(agent=None).exists()

    def _teams(self, case: Case) -> list[int]:
        """Who saw it before anybody was joined, whose it is now, and whose addresses this person wrote to."""
        family = case.family()
        found = [team for pk in family for team in self._own_teams(pk)]
        inbound = Entry.objects.filter(case__in=family, kind__in=[EntryKind.MESSAGE, EntryKind.PARTICIPANT])
        wrote_to = inbound.order_by("connector__team").values_list("connector__team", flat=True).distinct()
        return list(dict.fromkeys([*found, case.team_id, *(team for team in wrote_to if team)]))

    def _own_teams(self, pk: int) -> list[int]:
        joins = Merge.objects.filter(Q(undone_at=None) | Q(pk=self.merge.pk), before__cases__has_key=str(pk))
        first = joins.order_by("pk").first()
        if first:
            return list(first.before["cases"][str(pk)]["team_ids"])
        return [] if pk in self.homes.left else self.homes.cases[pk].team_ids

    def _settle(self, case: Case) -> None:
        """Open while something is unanswered. A snooze that somebody set on purpose holds."""
        if not case.is_live:
            return
        waits, news = case.open_entries().exists(), self._has_news(case)
        news = news or (case.pk in self.homes.lost and str(case.pk) not in self.merge.before.get("cases", {}))
        if news and (case.status != Status.SNOOZED or case.pk in self.homes.revived):
            case.status, case.snoozed_until = (Status.OPEN if waits else Status.WAITING), None
        elif waits and case.status == Status.WAITING:
            case.status = Status.OPEN
        if case.snoozed_until and case.snoozed_until <= now():
            case.status, case.snoozed_until = Status.OPEN, None

    def _bring_drafts_back(self) -> None:
        """What was begun in the case that stands alone again, unless something is being written there already."""
        for draft, pk in self.merge.before.get("drafts", {}).items():
            home = self.homes.root(pk)
            for moved in Draft.objects.filter(pk=draft).exclude(case=home):
                if not Draft.objects.filter(case=home, agent=moved.agent, channel=moved.channel).exists():
                    Draft.objects.filter(pk=moved.pk).update(case=home)
