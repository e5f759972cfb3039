"""Sixteen hands on the same three people: joined, parted, divided, writing, answered, given away. Nothing deadlocks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from connectors.messages import Sender
from customers.models import Customer, Identity
from inbox import merging, outbox, splitting
from inbox.locking import locked
from inbox.models import Case, Delivery, Entry, Merge, Regrouping, RegroupingKind
from inbox.models.case import SPOKEN
from tests import make
from tests.integration.test_joining_histories import World
from tests.integration.test_many_at_once import at_once, taken

pytestmark = pytest.mark.django_db(transaction=True)
TURNS, THREADS = 96, 16


class Crowd:
    """What any of many threads may do next; each looks at the rows as they are when its turn comes."""

    def __init__(self, agents: list[Any], connectors: dict[str, Any]) -> None:
        self.chance, self.agents, self.connectors = random.Random(16), agents, connectors
        self.people = [
            make.customer(name, email=f"{name}@x.test", phone=f"+1415555016{number}")
            for number, name in enumerate(["ana", "bob", "cem"])
        ]
        self.identities = list(Identity.objects.order_by("pk"))

    def turn(self, number: int) -> Callable[[], object]:
        kinds = [self.writes] * 5 + [self.answers] * 3 + [self.joins, self.parts] * 2
        dividing = [self.divides, self.divides, self.is_one_after_all, self.takes_back, self.somebody_else]
        return self.chance.choice([*kinds, *dividing, self.is_given, self.resolves, self.fails])(number)

    def writes(self, number: int) -> Callable[[], object]:
        identity = self.chance.choice(self.identities)
        connector = self.connectors[identity.kind]
        item = make.message(Sender(identity.value), connector, f"words {number}")
        return lambda: taken(item, connector)

    def answers(self, number: int) -> Callable[[], object]:
        person, by = self.chance.choice(self.people), self.chance.choice(self.agents)

        def act() -> object:
            case = self.live_of(person)
            way = next((each for each in outbox.options(case) if not each.confirm), None) if case else None
            if case is None or way is None:
                return None
            anyway = {"send_anyway": True, "disclose": True}
            return outbox.reply(case, by=by, option_key=way.key, text=f"reply {number}", **anyway)

        return act

    def joins(self, number: int) -> Callable[[], object]:
        one, other = self.chance.sample(self.people, 2)
        return lambda: merging.join(one, other, by=self.agents[0])

    def parts(self, number: int) -> Callable[[], object]:
        return lambda: [merging.undo(each, by=self.agents[0]) for each in Merge.objects.in_force()[:1]]

    def divides(self, number: int) -> Callable[[], object]:
        """Into a second matter, or from one into the other."""
        person = self.chance.choice(self.people)

        def act() -> object:
            case = self.live_of(person)
            said = list(case.timeline().filter(kind__in=SPOKEN).values_list("pk", flat=True)[:6]) if case else []
            if case is None or len(said) < 2:
                return None
            other = Case.objects.live().filter(customer=case.customer).exclude(pk=case.pk).first()
            if other and number % 2:
                return splitting.move(case, said[:1], other, by=self.agents[0])
            return splitting.split(case, said[: len(said) // 2], by=self.agents[0])

        return act

    def is_one_after_all(self, number: int) -> Callable[[], object]:
        def act() -> object:
            second = Case.objects.live().filter(split_off=True).select_related("customer").order_by("?").first()
            main = Case.objects.live_of(second.customer.current()) if second else None
            return splitting.rejoin(second, main, by=self.agents[0]) if second and main else None

        return act

    def takes_back(self, number: int) -> Callable[[], object]:
        def act() -> object:
            found = Regrouping.objects.in_force().order_by("?").first()
            return found and splitting.undo(found, by=self.agents[0])

        return act

    def somebody_else(self, number: int) -> Callable[[], object]:
        """What is picked lies with another person for a moment, and comes back."""
        one, other = self.chance.sample(self.people, 2)

        def act() -> object:
            case = self.live_of(one)
            said = list(case.timeline().filter(kind="message").values_list("pk", flat=True)[:1]) if case else []
            if case is None or not said:
                return None
            return splitting.undo(splitting.hand_over(case, said, to=other, by=self.agents[0]), by=self.agents[0])

        return act

    def is_given(self, number: int) -> Callable[[], object]:
        person, to = self.chance.choice(self.people), self.chance.choice(self.agents)
        return lambda: self.with_live_case(person, lambda case: case.assign(to, by=self.agents[0]))

    def resolves(self, number: int) -> Callable[[], object]:
        person = self.chance.choice(self.people)
        return lambda: self.with_live_case(person, lambda case: case.resolve(by=self.agents[0]))

    def fails(self, number: int) -> Callable[[], object]:
        def act() -> object:
            delivery = Delivery.objects.with_all().filter(state="queued").order_by("?").first()
            return delivery and outbox.failed(delivery, "No such number.")

        return act

    def live_of(self, person: Customer) -> Case | None:
        return Case.objects.live_of(Customer.objects.get(pk=person.pk).current())

    def with_live_case(self, person: Customer, verb: Callable[[Case], None]) -> None:
        found = self.live_of(person)
        if found:
            with locked(found) as case:
                verb(case)


def test_sixteen_threads_on_the_same_people_leave_every_rule_standing(
    mailbox: Any, number: Any, ana: Any, sam: Any
) -> None:
    crowd = Crowd([ana, sam], {"email": mailbox, "phone": number})
    results = at_once([crowd.turn(turn) for turn in range(TURNS)], THREADS)
    assert not [each for each in results if isinstance(each, DatabaseError)]
    refusals = (merging.CannotJoin, outbox.CannotSend, splitting.CannotSplit)
    assert not [each for each in results if isinstance(each, Exception) and not isinstance(each, refusals)]
    taken_in = [each for each in results if isinstance(each, dict)]
    assert {each["outcome"] for each in taken_in} == {"entry"}
    assert Entry.objects.filter(kind="message").count() == len(taken_in)
    for each in Regrouping.objects.in_force().filter(kind=RegroupingKind.PERSON):
        splitting.undo(each, by=ana)
    World().holds()
    for merge in Merge.objects.in_force().order_by("?"):
        merging.undo(merge, by=ana)
    World().holds()
    owners = Entry.objects.filter(kind="message").values_list("identity__customer__name", "author")
    assert all(name == author for name, author in owners)
