"""Two people are told apart: whose each case is, and where each entry that came meanwhile belongs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.db.models import Q

from customers.models import Customer
from inbox.merging.carrying import carry
from inbox.models import (
    Case,
    Entry,
    EntryKind,
    Fact,
    Invitation,
    Merge,
    Participant,
    Regrouping,
    RegroupingKind,
    Status,
    Switch,
)
from inbox.models.case import SPOKEN

POINTERS = ("customer", "merged_into", "is_live", "status", "resolved_at", "snoozed_until")
OF_A_PERSON = (EntryKind.MESSAGE, EntryKind.REPLY)


class Homes:
    """The cases of both, in memory, by id. `owner` says whose each is; `touched` are those that look different now."""

    def __init__(self, merge: Merge, stays: Customer, leaves: Customer) -> None:
        """Before anything is parted: `stays` is still both."""
        self.merge, self.stays, self.leaves = merge, stays, leaves
        self.people = {stays.pk: stays, leaves.pk: leaves}
        found = Case.objects.filter(customer__in=stays.family()).order_by("pk")
        self.cases = {case.pk: case for case in found}
        self.old_root = {pk: self._above(pk, set())[-1] for pk in self.cases}
        self.owner: dict[int, int] = {}
        self.part: dict[tuple[int, int], int] = {}  # (owner, old root) -> the case that is this owner's part of it
        self.revived: set[int] = set()
        self.touched: set[int] = set()
        self.lost: set[int] = set()  # cases that others went out of
        self.left: set[int] = set()  # cases that lost entries

    def _above(self, pk: int, seen: set[int]) -> list[int]:
        """The case itself, and all that it was merged into."""
        above = self.cases[pk].merged_into_id
        return [pk] if not above or pk in seen else [pk, *self._above(above, {*seen, pk})]

    def cases_of(self, customer: Customer) -> set[int]:
        return {pk for pk, owner in self.owner.items() if owner == customer.pk}

    def root(self, pk: int) -> Case:
        return self.cases[self._above(pk, set())[-1]]

    # What an agent put into other cases meanwhile

    def bring_back(self) -> None:
        """What was there before the join goes back to its own case, when it was put where the other person's words are,
        or when nothing else would be left of its case."""
        since = Regrouping.objects.in_force().exclude(kind=RegroupingKind.PERSON).order_by("pk")
        since = since.filter(at__gte=self.merge.at, to_case__in=self.cases)
        lay: dict[int, int] = {}
        for each in since:
            lay = {int(pk): case for pk, case in each.entries.items()} | lay
        before = {pk: case for pk, case in lay.items() if pk <= self.merge.newest_entry and case in self.cases}
        if not before:
            return
        now_in = dict(Entry.objects.filter(pk__in=before, case__in=self.cases).values_list("pk", "case"))
        whose = self._owners()
        back = {
            pk: before[pk]
            for pk, case in now_in.items()
            if whose[case] != whose[before[pk]] or not self._keeps_words(before[pk], whose[before[pk]])
        }
        carry(back)
        self.left |= {now_in[pk] for pk in back}
        self.touched |= {*back.values(), *(now_in[pk] for pk in back)}
        for each in since:
            if each.to_case_id in self.left and not self._speaks(each.to_case_id):
                self._close(self.cases[each.to_case_id], each.from_case_id)

    def _keeps_words(self, case: int, owner: int) -> bool:
        """Whether anything will be left there once everybody's words went home."""
        own = Q(kind=EntryKind.NOTE) | Q(kind__in=OF_A_PERSON, identity__customer=owner)
        return Entry.objects.filter(own, case=case).exists()

    def _speaks(self, case: int) -> bool:
        return Entry.objects.filter(case=case, kind__in=SPOKEN).exists()

    def _close(self, case: Case, into: int) -> None:
        """Nothing is left of it: its address leads to where it came from."""
        if not case.merged_into_id and into != case.pk:
            case.is_live, case.merged_into_id = False, into
            self.old_root[case.pk] = self.old_root[into]

    # Cases

    def tell_cases_apart(self) -> None:
        self.owner = self._owners()
        parents = self._parents()
        theirs = {*self.leaves.family()}
        for case in sorted(self.cases.values(), key=lambda each: (each.merged_into_id is not None, each.pk)):
            owner, parent = self.owner[case.pk], parents[case.pk]
            if (case.customer_id in theirs) != (owner == self.leaves.pk):
                case.customer = self.people[owner]
                self.touched.add(case.pk)
            if case.merged_into_id and parent is None:
                self._stand_alone(case)
            if case.merged_into_id != parent:
                case.merged_into_id = parent
                self.touched |= {case.pk, self.old_root[case.pk]}
                self.lost.add(self.old_root[case.pk])
            if case.pk in self.touched:
                case.save(update_fields=POINTERS)

    def _owners(self) -> dict[int, int]:
        """Cases of before are in the journal; one begun since belongs to whoever spoke in it first."""
        begun = [pk for pk in self.cases if pk > self.merge.newest_case]
        spoke = Entry.objects.filter(case__in=begun, kind__in=OF_A_PERSON, identity__customer__in=self.people)
        first = spoke.order_by("case_id", "pk").distinct("case_id").values_list("case_id", "identity__customer_id")
        theirs = dict.fromkeys(self.merge.cases, self.leaves.pk)
        return dict.fromkeys(self.cases, self.stays.pk) | theirs | dict(first)

    def _parents(self) -> dict[int, int | None]:
        """Into which case of the same person each is merged. Of those left without one, the oldest goes on alone."""
        parents: dict[int, int | None] = {}
        for pk in self.cases:
            owner, root = self.owner[pk], self.old_root[pk]
            same = [above for above in self._above(pk, set())[1:] if self.owner[above] == owner]
            parent = same[0] if same else None
            if parent is None and pk != root:
                live = self._live_main(owner) if self.cases[root].is_live else None
                parent = self.part.get((owner, root)) or (live.pk if live else None)
            if parent is None:
                self.part[owner, root] = pk
            parents[pk] = parent
        return parents

    def _stand_alone(self, case: Case) -> None:
        """As it was before the join if that matter is still live; else it ended with the one it was part of."""
        root = self.cases[self.old_root[case.pk]]
        if root.is_live:
            case.is_live, case.customer = True, self.people[self.owner[case.pk]]
            self.revived.add(case.pk)
        else:
            case.status, case.resolved_at, case.snoozed_until = Status.RESOLVED, root.resolved_at, None

    # Entries

    def send_entries(self) -> None:
        for entry in self._strays():
            self._send(entry, self._home(entry))
        for entry in self._copied_in():
            self._send(entry, self._answered_by(entry))

    def _strays(self) -> Iterable[Entry]:
        """In a case of the one, by or to an address of the other. Filed mail of before lay where it lies."""
        mine, theirs = self.cases_of(self.stays), self.cases_of(self.leaves)
        wrong = Q(case__in=mine, identity__customer=self.leaves) | Q(case__in=theirs, identity__customer=self.stays)
        filed_since = Q(kind=EntryKind.FILED, pk__gt=self.merge.newest_entry)
        found = Entry.objects.filter(wrong, Q(kind__in=OF_A_PERSON) | filed_since).exclude(self._handed_over())
        return list(found.select_related("identity", "connector__team").order_by("pk"))

    def _handed_over(self) -> Q:
        """An agent said who wrote it, whosever address it came from; and what stayed behind when that changed hands."""
        handed = Regrouping.objects.in_force().filter(kind=RegroupingKind.PERSON, from_case__in=self.cases)
        found = Q(pk__in=[])
        for each in handed:
            found |= Q(pk__in=[*map(int, each.entries)], case=each.to_case_id)
            found |= Q(identity__in=each.before.get("identities", []), created_at__lt=each.at)
        return found

    def _home(self, entry: Entry) -> Case | None:
        assert entry.identity is not None
        assert entry.case_id is not None
        owner, root = entry.identity.customer_id, self.cases[self.old_root[entry.case_id]]
        part = self.part.get((owner, root.pk))
        if part:
            return self.cases[part]
        live = self._live_main(owner) if root.is_live else None
        if live or entry.kind == EntryKind.FILED:
            return live
        return self._begin(owner, root, entry)

    def _live_main(self, owner: int) -> Case | None:
        mine = (case for case in self.cases.values() if self.owner[case.pk] == owner)
        return next((case for case in mine if case.is_live and not case.split_off), None)

    def _begin(self, owner: int, root: Case, entry: Entry) -> Case:
        """A case of their own, in the state of the one that they spoke in."""
        assert entry.connector is not None
        case = Case.objects.create(
            customer=self.people[owner],
            subject=(entry.subject or " ".join(entry.text.split()))[:300],
            team=entry.connector.team,
            team_ids=[entry.connector.team_id],
            reply_token=secrets.token_hex(16),
            created_at=entry.created_at,
            status=Status.OPEN if root.is_live else Status.RESOLVED,
            is_live=root.is_live,
            resolved_at=root.resolved_at,
            sensitive=root.sensitive,
            named_ids=root.named_ids,
        )
        self.cases[case.pk], self.owner[case.pk], self.old_root[case.pk] = case, owner, case.pk
        self.part[owner, root.pk] = case.pk
        return case

    def _copied_in(self) -> Iterable[Entry]:
        since = Entry.objects.filter(case__in=self.cases, pk__gt=self.merge.newest_entry)
        return since.filter(kind=EntryKind.PARTICIPANT).order_by("pk")

    def _answered_by(self, entry: Entry) -> Case:
        """Where the mail is now that somebody else's mail answered."""
        assert entry.case_id is not None
        cited = [*entry.headers.get("in_reply_to", []), *entry.headers.get("references", [])]
        answered = Entry.objects.filter(message_id__in=[each for each in cited if each], case__in=self.cases)
        return self.cases[answered.order_by("-pk").values_list("case", flat=True).first() or entry.case_id]

    def _send(self, entry: Entry, home: Case | None) -> None:
        """With all that hangs on it."""
        assert entry.case_id is not None
        if home and self.owner[home.pk] == self.owner[entry.case_id]:
            return
        self.left.add(entry.case_id)
        self.touched.add(entry.case_id)
        if home is None:
            Entry.objects.filter(pk=entry.pk).update(case=None)
        else:
            owner = self.people[self.owner[home.pk]]
            Entry.objects.filter(pk=entry.pk).update(case=home)
            self._bring_along(entry, home, owner)
            self.touched.add(home.pk)

    def _bring_along(self, entry: Entry, home: Case, owner: Customer) -> None:
        Switch.objects.filter(entry=entry).update(case=home)
        Invitation.objects.filter(told_in=entry).update(case=home)
        for fact in Fact.objects.filter(entry=entry):
            if Fact.objects.filter(case=home, kind=fact.kind, value=fact.value).exists():
                fact.delete()
            else:
                Fact.objects.filter(pk=fact.pk).update(case=home, customer=owner)
        for participant in Participant.objects.filter(entry=entry):
            if Participant.objects.filter(case=home, identity=participant.identity_id).exists():
                participant.delete()
            else:
                Participant.objects.filter(pk=participant.pk).update(case=home)
