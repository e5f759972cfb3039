"""What a customer wants from us now: one object over all channels. The case has no channel; its entries have."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.utils.timezone import now

from config.database import rows
from connectors.messages import Classification
from customers.models import Customer
from inbox import live
from inbox.models.agent import Agent, AgentQuerySet, Team
from inbox.models.cases import LIVE, CaseQuerySet, Status
from inbox.models.entry import Entry, EntryKind, EntryQuerySet
from inbox.models.frames import farewell, frame

FAMILY = """WITH RECURSIVE family(id) AS (
    VALUES (%s::bigint) UNION SELECT c.id FROM inbox_case c JOIN family f ON c.merged_into_id = f.id) """
IDS_OF_FAMILY = "SELECT id FROM family"
OPEN_IN_FAMILY = """SELECT channel, coalesce(arrived_at, created_at) FROM inbox_entry
    WHERE is_open AND case_id IN (SELECT id FROM family) ORDER BY id"""
SPOKEN = (EntryKind.MESSAGE, EntryKind.PARTICIPANT, EntryKind.REPLY, EntryKind.NOTE)


class Sensitive(models.TextChoices):
    MINOR = "minor", "A minor"
    HEALTH = "health", "Health"
    LEGAL = "legal", "Legal"


class AnotherIsLive(Exception):
    """The customer has a live case already, and that is where new messages go; `case` is that one."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"#{case.pk} is live.")
        self.case = case


class Case(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="cases")
    subject = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    is_live = models.BooleanField(default=True)
    split_off = models.BooleanField(default=False)
    beside = models.SmallIntegerField(default=0, db_default=0)  # other live cases of the same person
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="absorbed")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    team_ids = ArrayField(models.BigIntegerField(), default=list)  # who sees it: `team`, and those it was shared with
    sensitive = models.CharField(max_length=8, choices=Sensitive, blank=True, default="", db_default="")
    named_ids = ArrayField(models.BigIntegerField(), null=True, blank=True)  # of a sensitive case: they alone see it
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_cases"
    )
    reply_token = models.CharField(max_length=40, unique=True)
    version = models.PositiveIntegerField(default=0)  # a change counter, never an order
    created_at = models.DateTimeField(default=now)
    changed_at = models.DateTimeField(default=now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    # What lists and the board show, kept by record()
    waiting_since = models.DateTimeField(null=True, blank=True)  # the first unanswered message of the person
    channel = models.CharField(max_length=16, blank=True)  # where the customer is now
    previous_channel = models.CharField(max_length=16, blank=True)
    moved_at = models.DateTimeField(null=True, blank=True)
    shows_move = models.BooleanField(default=False)  # until the first reply after the move
    channels = ArrayField(models.CharField(max_length=16), default=list)  # in the order they appeared
    open_channels = ArrayField(models.CharField(max_length=16), default=list)  # with something unanswered
    last_entry_id = models.BigIntegerField(default=0)
    last_kind = models.CharField(max_length=12, blank=True)
    last_author = models.CharField(max_length=120, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    preview = models.CharField(max_length=200, blank=True)
    last_inbound_id = models.BigIntegerField(default=0)
    has_failed_delivery = models.BooleanField(default=False)
    first_channel = models.CharField(max_length=16, blank=True)
    first_message_at = models.DateTimeField(null=True, blank=True)
    first_reply_at = models.DateTimeField(null=True, blank=True)

    is_unread, draft_text = False, ""  # whoever looks: of a row that is for everybody, neither is said

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=LIVE & models.Q(split_off=False), name="one_live_case_per_customer"
            ),
            models.CheckConstraint(
                condition=models.Q(is_live=False) | (models.Q(merged_into=None) & ~models.Q(status="resolved")),
                name="a_live_case_is_neither_resolved_nor_merged",
            ),
            models.CheckConstraint(
                condition=models.Q(is_live=True) | models.Q(status="resolved") | models.Q(merged_into__isnull=False),
                name="a_case_that_is_not_live_is_resolved_or_merged",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_entry_id"], name="case_live_newest", condition=LIVE),
            models.Index(fields=["waiting_since", "id"], name="case_live_waiting", condition=LIVE),
            models.Index(fields=["assignee", "-last_entry_id"], name="case_live_assignee", condition=LIVE),
            models.Index(
                fields=["status", "-last_entry_id"], name="case_by_status", condition=models.Q(merged_into=None)
            ),
            models.Index(fields=["changed_at"], name="case_changed"),
            models.Index(fields=["snoozed_until", "id"], name="case_wakes", condition=models.Q(status="snoozed")),
            models.Index(fields=["customer", "-id"], name="case_of_customer"),
            models.Index(fields=["merged_into"], name="case_absorbed", condition=models.Q(merged_into__isnull=False)),
            models.Index(fields=["id"], name="case_failed", condition=models.Q(has_failed_delivery=True)),
            GinIndex(fields=["team_ids"], name="case_live_teams", condition=LIVE, fastupdate=False),
            GinIndex(
                fields=["named_ids"], name="case_named", condition=models.Q(named_ids__isnull=False), fastupdate=False
            ),
            models.Index(fields=["id"], name="case_live_named", condition=LIVE & models.Q(named_ids__isnull=False)),
            models.Index(
                fields=["-moved_at", "-id"], name="case_live_moved", condition=LIVE & models.Q(shows_move=True)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def get_absolute_url(self) -> str:
        return f"/inbox/open/c/{self.pk}/"

    def current(self) -> Case:
        """The case this one was merged into, however many steps away; itself when it was not."""
        seen, case = set(), self
        while case.merged_into_id and case.pk not in seen:
            seen.add(case.pk)
            case = case.merged_into  # type: ignore[assignment]
        return case

    def family(self) -> list[int]:
        """Ids of this case and all that were merged into it: whose entries are read as one timeline."""
        with connection.cursor() as cursor:
            cursor.execute(FAMILY + IDS_OF_FAMILY, [self.pk])
            return [row[0] for row in cursor.fetchall()]

    def timeline(self) -> EntryQuerySet:
        return Entry.objects.filter(case__in=self.family())

    @property
    def shown_subject(self) -> str:
        """On rows and cards, over whose shoulder others look."""
        return f"Sensitive: {self.get_sensitive_display().lower()}" if self.sensitive else self.subject

    @property
    def is_waiting_for_us(self) -> bool:
        return self.waiting_since is not None

    @property
    def is_scattered(self) -> bool:
        return len(self.channels) > 2

    # Verbs. Each expects the customer's row to be locked by the caller, and records itself.

    def assign(self, agent: Agent | None, *, by: Agent | None) -> None:
        if self.assignee_id == (agent.pk if agent else None):
            return
        self.assignee = agent
        if agent:
            self._show_card_to(agent)
        words = f"gave it to {agent.short_name}" if agent and agent != by else "took it" if agent else "put it back"
        self.record(Entry.event_of("assigned", words, by=by), "assignee")

    def _show_card_to(self, agent: Agent) -> None:
        """A new owner gets the open card again, also when they have looked at it before as a colleague."""
        for alert in self.alerts.filter(closed_at=None):
            alert.seen.filter(agent=agent).delete()
            alert.announce([agent.pk])

    def move_to(self, team: Team, *, by: Agent) -> None:
        self.team = team
        self.share_with(team)
        if self.assignee and not self.assignee.teams.filter(pk=team.pk).exists():
            self.assignee = None
        self.record(Entry.event_of("moved_team", f"moved it to {team.name}", by=by), "team", "assignee")

    def share_with(self, team: Team) -> bool:
        """True when the team could not see the case before."""
        if team.pk in self.team_ids:
            return False
        self.team_ids = [*self.team_ids, team.pk]
        self.save(update_fields=["team_ids"])
        return True

    def resolve(self, *, by: Agent | None) -> None:
        if not self.is_live:
            return
        self.status, self.is_live, self.resolved_at, self.snoozed_until = Status.RESOLVED, False, now(), None
        self.tie(by=by)
        self.alerts.filter(closed_at=None).update(closed_at=now())
        if self.beside:
            self.count_beside()
        changed = ("status", "is_live", "resolved_at", "snoozed_until", "beside")
        self.record(Entry.event_of("resolved", "resolved it", by=by), *changed)

    def reopen(self, *, by: Agent | None, because: str = "reopened it") -> None:
        """A case of somebody who was joined to another person since is that person's now. Raises AnotherIsLive."""
        if self.is_live:
            return
        was, self.customer = self.customer, self.customer.current()
        other = None if self.split_off else Case.objects.live_of(self.customer)
        if other:
            raise AnotherIsLive(other)
        if self.assignee and not self.may_be_given_to(self.assignee):
            self.assignee = None
        self.status, self.is_live, self.resolved_at, self.snoozed_until = Status.OPEN, True, None, None
        self.count_beside()
        changed = ("status", "is_live", "resolved_at", "snoozed_until", "customer", "assignee", "beside")
        self.record(Entry.event_of("reopened", because, by=by, customer=was.pk), *changed)

    def is_closed_to(self, agent: Agent) -> bool:
        return self.named_ids is not None and agent.pk not in self.named_ids

    def may_be_given_to(self, agent: Agent) -> bool:
        if self.named_ids is not None:
            return agent.is_active and agent.pk in self.named_ids
        return agent.is_active and (agent.is_supervisor or bool({*agent.team_ids} & {*self.team_ids}))

    def those_who_may_have_it(self) -> AgentQuerySet:
        agents: AgentQuerySet = Agent.objects.active()
        return agents.in_teams(self.team_ids) if self.named_ids is None else agents.filter(pk__in=self.named_ids)

    def snooze(self, until: datetime, *, by: Agent) -> None:
        self.status, self.snoozed_until, self.snoozed_by = Status.SNOOZED, until, by
        self.record(
            Entry.event_of("snoozed", "snoozed it", by=by, until=until.isoformat()),
            "status",
            "snoozed_until",
            "snoozed_by",
        )

    def wake(self, *, by: Agent | None = None) -> None:
        if self.status == Status.SNOOZED:
            self.status, self.snoozed_until = Status.OPEN, None
            self.record(Entry.event_of("woke", "is back from snooze", by=by), "status", "snoozed_until")

    def open_entries(self) -> EntryQuerySet:
        return self.timeline().filter(is_open=True)

    def tie(self, *, by: Agent | None, reply: Entry | None = None, entries: list[int] | None = None) -> list[int]:
        """Closes open entries: those named, or all. Without a `reply` nothing was sent: no reply was needed."""
        waiting = self.open_entries()
        if entries is not None:
            waiting = waiting.filter(pk__in=entries)
        tied = list(waiting.values_list("pk", flat=True))
        Entry.objects.filter(pk__in=tied).update(is_open=False, tied_by=reply, tied_at=now(), tied_by_agent=by)
        return tied

    def untie(self, reply: Entry) -> list[int]:
        """A reply finally failed: what it answered is unanswered again, and waits from the original time."""
        untied = list(Entry.objects.filter(tied_by=reply).values_list("pk", flat=True))
        Entry.objects.filter(pk__in=untied).update(is_open=True, tied_by=None, tied_at=None, tied_by_agent=None)
        self._open_others(untied)
        return untied

    def _open_others(self, untied: list[int]) -> None:
        """What it answered may have been moved to another case of the same person since."""
        elsewhere = Case.objects.filter(entries__in=untied).exclude(pk__in=self.family()) if untied else []
        for case in {each.current().pk: each.current() for each in elsewhere}.values():
            if case.is_live and case.status == Status.WAITING:
                case.status = Status.OPEN
            case.changed(None, "status")

    def count_beside(self) -> None:
        """How many live cases the same person has beside this one. The others hear of it too."""
        people = self.customer.current().family()
        found = Case.objects.live().filter(customer__in=people).exclude(pk=self.pk)
        others = list(found.select_related("customer", "assignee"))
        live = len(others) + self.is_live
        for case in others:
            if case.beside != live - 1:
                case.beside = live - 1
                case.changed(None, "beside")
        self.beside = live - 1 if self.is_live else 0

    def refresh_waits(self) -> None:
        """Recomputes what rests on open entries. Order is Entry.id, the time is that of the first arrival."""
        with connection.cursor() as cursor:  # by hand: every change of a case pays for it
            cursor.execute(FAMILY + OPEN_IN_FAMILY, [self.pk])
            waiting = cursor.fetchall()
        self.waiting_since = min((at for _, at in waiting), default=None)
        self.open_channels = list(dict.fromkeys(channel for channel, _ in waiting))

    def record(self, entry: Entry, *changed: str) -> Entry:
        """The only way into a timeline: store, update what lists show, bump the version, announce.

        An entry that was filed before comes in by the same door, and stays where its id puts it.
        """
        fields = {*changed}
        entry.case = self
        if entry._state.adding:
            rows.insert(entry)
        else:
            entry.save()
        if entry.kind in SPOKEN and entry.pk > self.last_entry_id:
            fields |= self._show_last(entry)
        if entry.kind == EntryKind.MESSAGE:
            fields |= self._follow(entry)
        if entry.kind == EntryKind.REPLY and entry.classification == Classification.PERSON and not self.first_reply_at:
            self.first_reply_at = entry.created_at
            fields.add("first_reply_at")
        if entry.is_open:
            self._wait_for(entry)
        else:
            self.refresh_waits()
        self._change(entry, fields)
        return entry

    def changed(self, entry: Entry | None = None, *changed: str) -> None:
        """Something about an entry that is there already changed: a delivery moved on, a reaction came."""
        self.refresh_waits()
        self._change(entry, set(changed))

    def _wait_for(self, entry: Entry) -> None:
        """This entry is open: whatever waited before goes on waiting, so nothing needs to be read again."""
        self.last_inbound_id = max(self.last_inbound_id, entry.pk)
        self.waiting_since = min(self.waiting_since or entry.reached_us_at, entry.reached_us_at)
        if entry.channel not in self.open_channels:
            self.open_channels = [*self.open_channels, entry.channel]

    def _change(self, entry: Entry | None, fields: set[str]) -> None:
        self.version += 1
        self.changed_at = now()
        if self._state.adding:  # the first entry of somebody new
            rows.insert(self)
        else:
            shown = {"version", "changed_at", "waiting_since", "open_channels", "last_inbound_id"}
            rows.update_later(self, fields | shown)
        moved = entry is not None and entry.kind == EntryKind.MESSAGE and self.shows_move
        live.announce(partial(frame, self, entry.pk if entry else None, entry.kind if entry else "", moved))

    def _show_last(self, entry: Entry) -> set[str]:
        self.last_entry_id = max(self.last_entry_id, entry.pk)
        self.last_kind, self.last_author, self.last_at = entry.kind, entry.author[:120], entry.created_at
        self.preview = "" if self.sensitive else entry.preview
        return {"last_entry_id", "last_kind", "last_author", "last_at", "preview"}

    def hide(self, why: str, named: list[int]) -> None:
        """Sensitive from now on, and seen only by those named; or nothing of the kind, by an empty `why`.

        Whatever was merged into it says the same, since its entries are found through their own case.
        """
        self.sensitive, self.named_ids = why, sorted(set(named)) if why else None
        if self.assignee and not self.may_be_given_to(self.assignee):
            self.assignee = None
        Case.objects.filter(pk__in=self.family()).update(sensitive=self.sensitive, named_ids=self.named_ids)
        self.show_latest()
        if why:
            live.announce(partial(farewell, self.pk, self.version + 1, self.team_ids, self.named_ids or []))
        self.changed(None, "sensitive", "named_ids", "assignee", *self.LAST)

    def named_with(self, other: Case) -> list[int] | None:
        """Of two sensitive cases those who are named in both, of one those named there; None when neither is."""
        each = [{*case.named_ids} for case in (self, other) if case.named_ids is not None]
        return sorted(set.intersection(*each)) if each else None

    def hide_with(self, other: Case) -> None:
        """Read as one from now on, both are as sensitive as either was, and only those who are named in both see it."""
        why, named = self.sensitive or other.sensitive, self.named_with(other)
        if named is None:
            return
        for case in (self, other):
            if case.named_ids != named:
                live.announce(partial(farewell, case.pk, case.version + 1, case.team_ids, named))
            case.sensitive, case.named_ids, case.preview = why, named, ""
            if case.assignee and not case.may_be_given_to(case.assignee):
                case.assignee = None
        both = Case.objects.filter(pk__in=[*self.family(), *other.family()])
        both.update(sensitive=why, named_ids=named, preview="")

    LAST = ("last_entry_id", "last_kind", "last_author", "last_at", "preview")

    def show_latest(self) -> None:
        """Reads again what lists show: the last thing said that was not taken back. The caller saves `LAST`."""
        said = self.timeline().filter(kind__in=SPOKEN).exclude(kind=EntryKind.REPLY, unsent_at__isnull=False)
        last = said.order_by("-pk").first()
        self.last_entry_id = 0
        if last:
            self._show_last(last)

    def _follow(self, entry: Entry) -> set[str]:
        """A customer wrote: this is where the customer is now."""
        if not (entry.data.get("late") and self.channel):  # written before what is here already: it moves nobody
            self.channel = entry.channel
        if entry.channel not in self.channels:
            self.channels = [*self.channels, entry.channel]
        if not self.first_message_at:
            self.first_message_at, self.first_channel = entry.reached_us_at, entry.channel
        return {"channel", "channels", "first_message_at", "first_channel"}
