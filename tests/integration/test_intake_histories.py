"""Random histories through the real intake and outbox: whatever happens, what lists show is what the timeline says."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Customer
from inbox import intake, outbox
from inbox.intake import messages
from inbox.locking import locked
from inbox.models import Agent, Case, Entry, EntryKind, Status, Switch
from inbox.models.case import SPOKEN
from tests.make import message

pytestmark = pytest.mark.django_db
BOB, EVE = Sender("bob@stone.test", name="Bob Stone"), Sender("eve@evil.test")
WORDS = ["Where is my parcel? It never came.", "hello?", "The lid is cracked."]


class History:
    def __init__(self, seed: int, maya: Customer, channels: list[Connector], ana: Agent) -> None:
        self.chance = random.Random(seed)
        self.maya, self.channels, self.ana = maya, channels, ana
        self.received = 0

    def case(self) -> Case | None:
        return Case.objects.live_of(self.maya)

    def token(self) -> list[str]:
        tokens = list(Case.objects.filter(customer=self.maya).values_list("reply_token", flat=True))
        return [self.chance.choice(tokens)] if tokens else []

    def receive(self, sender: Customer | Sender, to: Connector, **about: Any) -> Entry:
        at = now() - timedelta(seconds=self.chance.randrange(600))
        item = message(sender, to, self.chance.choice(WORDS), sent_at=self.chance.choice([at, None]), **about)
        with transaction.atomic():
            outcome = messages.receive(to, item, at=at)
        self.received += 1
        return Entry.objects.get(pk=outcome["entry"])

    def she_writes(self) -> None:
        self.receive(self.maya, self.chance.choice(self.channels))

    def she_writes_by_token(self) -> None:
        self.receive(self.maya, self.channels[0], reply_tokens=self.token())

    def a_program_writes(self) -> None:
        kind = self.chance.choice(["automatic", "bulk", "spam"])
        entry = self.receive(self.maya, self.channels[0], classification=kind)
        if self.chance.random() < 0.5:
            intake.this_is_a_person(entry, by=self.ana)

    def somebody_copied_in_writes(self) -> None:
        self.receive(BOB, self.channels[0], reply_tokens=self.token())

    def somebody_forges(self) -> None:
        sender = self.chance.choice([EVE, Sender("maya@ortiz.test")])
        hers = Case.objects.filter(customer=self.maya).values_list("pk", "status", "waiting_since").order_by("pk")
        before = list(hers)
        self.receive(sender, self.channels[0], authenticity="fail", reply_tokens=self.token())
        assert list(hers.all()) == before

    def ana_answers(self) -> None:
        case = self.case()
        ways = [way for way in outbox.options(case) if way.is_usable and not way.confirm] if case else []
        if case and ways:
            key = self.chance.choice(ways).key
            ticked = list(case.open_entries().values_list("pk", flat=True)) if self.chance.random() < 0.5 else []
            reply = outbox.reply(case, by=self.ana, option_key=key, text="Hello", also_answers=ticked, send_anyway=True)
            if self.chance.random() < 0.3:
                outbox.failed(reply.deliveries.get(), "No such address.")

    def ana_says_no_reply_is_needed(self) -> None:
        case = self.case()
        if case:
            outbox.no_reply_needed(case, by=self.ana)

    def ana_snoozes(self) -> None:
        case = self.case()
        if case:
            with locked(case) as fresh:
                fresh.snooze(now() + timedelta(hours=1), by=self.ana)

    def ana_resolves(self) -> None:
        case = self.case()
        if case:
            with locked(case) as fresh:
                fresh.resolve(by=self.ana)
            ago = timedelta(days=self.chance.choice([0, 3, 30]))
            Case.objects.filter(pk=case.pk).update(resolved_at=now() - ago)


STEPS: list[Callable[[History], None]] = [
    *[History.she_writes] * 5,
    *[History.ana_answers] * 3,
    History.she_writes_by_token,
    History.a_program_writes,
    History.somebody_copied_in_writes,
    History.somebody_forges,
    History.ana_says_no_reply_is_needed,
    History.ana_snoozes,
    History.ana_resolves,
]


def holds(history: History) -> None:
    live = Case.objects.live()
    assert live.filter(customer=history.maya).count() <= 1
    received = Entry.objects.filter(kind__in=[EntryKind.MESSAGE, EntryKind.PARTICIPANT, EntryKind.FILED])
    assert received.count() == history.received
    assert not received.exclude(kind=EntryKind.FILED).filter(case=None).exists()
    for case in Case.objects.all():
        agrees(case)
    for switch in Switch.objects.select_related("entry", "previous_entry"):
        assert switch.previous_entry.channel != switch.entry.channel
        assert switch.entry.kind == EntryKind.MESSAGE


def agrees(case: Case) -> None:
    shown = case.waiting_since, {*case.open_channels}
    waiting = list(case.open_entries())
    assert shown == (min((each.reached_us_at for each in waiting), default=None), {each.channel for each in waiting})
    if waiting:
        assert case.status in (Status.OPEN, Status.SNOOZED)
    assert case.is_live == (case.status != Status.RESOLVED)
    assert (case.snoozed_until is not None) == (case.status == Status.SNOOZED)
    said = case.timeline().filter(kind=EntryKind.MESSAGE).order_by("-pk")
    assert case.customer_id in {each.identity.customer_id for each in said if each.identity}
    moving = [each.channel for each in said if not each.data.get("late")] or [said[len(said) - 1].channel]
    assert case.channel == moving[0]
    assert {*case.channels} == {each.channel for each in said}
    spoken = case.timeline().filter(kind__in=SPOKEN).order_by("-pk").first()
    assert spoken
    assert (case.last_entry_id, case.preview) == (spoken.pk, spoken.preview)


@pytest.mark.parametrize("seed", range(8))
def test_after_every_step_what_lists_show_is_what_the_timeline_says(
    seed: int, maya: Any, mailbox: Any, number: Any, account: Any, ana: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    history = History(seed, maya, [mailbox, number, account], ana)
    for _ in range(20):
        history.chance.choice(STEPS)(history)
        holds(history)
