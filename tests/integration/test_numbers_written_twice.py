"""Two rows of one number, from before its country's rules were known: agents are asked, and nobody is joined."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import privacy, proposing
from inbox.models import Entry, Merge, Proposal, ProposalState, Strength, Trace
from inbox.proposing import catching_up, looking
from tests import make

pytestmark = pytest.mark.django_db
TWINS = [("+5215512345678", "+525512345678"), ("+541123456789", "+5491123456789"), ("+551187654321", "+5511987654321")]


def twins(before: str, today: str) -> tuple[Customer, Customer]:
    return make.customer("Ana Duarte", phone=before), make.customer("", phone=today)


@pytest.mark.parametrize(("before", "today"), TWINS)
def test_the_sweeper_asks_about_a_number_that_is_written_two_ways(before: str, today: str) -> None:
    one, other = twins(before, today)
    proposing.catch_up()
    proposal = Proposal.objects.get()
    assert ({proposal.one, proposal.other}, proposal.strength) == ({one, other}, Strength.STRONG)
    line = proposal.evidence.get(kind="same_number")
    assert line.words == f"{before} and {today} are the same number, written two ways"
    assert not Merge.objects.exists()
    assert set(Identity.objects.values_list("value", "customer")) == {(before, one.pk), (today, other.pk)}


def test_different_names_do_not_hide_that_it_is_one_number() -> None:
    make.customer("Ana Duarte", phone="+5215512345678")
    make.customer("Bia Souza", phone="+525512345678")
    proposing.catch_up()
    assert Proposal.objects.get().strength == Strength.STRONG
    assert Proposal.objects.get().evidence.get(kind="other_name").points < 0


def test_one_number_of_one_person_is_no_question() -> None:
    one = make.customer("Ana Duarte", phone="+5215512345678")
    Identity.objects.create(kind="phone", value="+525512345678", customer=one, origin="the import")
    proposing.catch_up()
    assert not Proposal.objects.exists()


def test_many_are_read_some_at_a_time_and_each_once(monkeypatch: Any) -> None:
    monkeypatch.setattr("inbox.proposing.catching_up.MOST_NUMBERS", 2)
    for before, today in TWINS:
        twins(before, today)
    counts = []
    for _ in range(4):
        proposing.read_numbers()
        counts.append(Proposal.objects.filter(evidence__kind="same_number").count())
    assert counts == [1, 2, 3, 3]
    assert proposing.read_numbers() == 0


def test_one_who_cannot_be_weighed_holds_up_nobody_behind(monkeypatch: Any) -> None:
    (bad, _), (good, _) = twins(*TWINS[0]), twins(*TWINS[1])
    propose = looking.propose

    def stumble(person: Customer) -> None:
        if person == bad:
            raise ValueError
        propose(person)

    monkeypatch.setattr(looking, "propose", stumble)
    proposing.catch_up()
    assert Proposal.objects.of([good.pk]).exists()
    assert catching_up.read_numbers() == 0, "they are not read again for ever"


def test_who_was_said_to_be_different_people_is_not_asked_about_again(number: Connector, ana: Any) -> None:
    _, other = twins(*TWINS[0])
    proposing.catch_up()
    proposing.differ(Proposal.objects.get(), by=ana)
    make.says(other, number, "hola, ¿hay alguien?")
    proposing.look(Entry.objects.get(kind="message").pk)
    assert Proposal.objects.get().state == ProposalState.DIFFERENT


def test_who_writes_before_the_sweeper_comes_is_asked_about_when_it_has_come(number: Connector) -> None:
    make.customer("Ana Duarte", phone="+5215512345678")
    entry = make.says(make.Sender("+525512345678"), number, "hola")
    proposing.look(entry.pk)
    assert not Proposal.objects.exists()
    proposing.catch_up()
    assert Proposal.objects.get().evidence.filter(kind="same_number").exists()


def test_no_line_of_a_card_keeps_an_erased_number_and_no_question_stays_without_a_line(adam: Any) -> None:
    _, other = twins(*TWINS[0])
    Identity.objects.create(kind="email", value="bia@mail.test", customer=other, origin="the import")
    proposing.catch_up()
    privacy.erase_address(Identity.objects.get(value=TWINS[0][1]), by=adam, why="Asked to")
    proposal = Proposal.objects.get()
    assert not proposal.evidence.filter(words__contains="5512345678").exists()
    assert proposal.state == ProposalState.DROPPED


def test_a_question_stays_while_something_else_speaks_for_it(adam: Any) -> None:
    _, other = twins(*TWINS[0])
    Identity.objects.create(kind="email", value="bia@mail.test", customer=other, origin="the import")
    proposing.catch_up()
    proposal = Proposal.objects.get()
    proposal.evidence.create(kind="order", is_for=True, points=3, value="48213", words="Both ask about order #48213")
    privacy.erase_address(Identity.objects.get(value=TWINS[0][1]), by=adam, why="Asked to")
    assert [each.kind for each in proposal.evidence.filter(is_for=True)] == ["order"]
    assert Proposal.objects.get().is_undecided


@pytest.mark.parametrize("read", [proposing.catching_up.read_names, proposing.catching_up.read_numbers])
def test_what_is_erased_while_it_is_read_leaves_no_trace(read: Any, adam: Any, monkeypatch: Any) -> None:
    one, _ = twins(*TWINS[0])
    Identity.objects.update(first_seen_at="2026-01-01T00:00:00Z")
    write = Trace.objects.bulk_create

    def erased_meanwhile(rows: Any, **about: Any) -> Any:
        privacy.erase_person(one, by=adam, why="Asked to")
        return write(rows, **about)

    monkeypatch.setattr(Trace.objects, "bulk_create", erased_meanwhile)
    read()
    assert not Trace.objects.filter(identity__customer=one).exists()


def test_what_was_erased_is_not_read_for_its_number() -> None:
    one, _ = twins(*TWINS[0])
    Identity.objects.filter(customer=one).update(erased_at="2026-01-01T00:00:00Z")
    proposing.catch_up()
    assert not Trace.objects.filter(manner="same").exists()
