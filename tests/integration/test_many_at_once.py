"""Intake, agents and joins on the same people at the same time: nothing deadlocks, nothing is lost or doubled."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection

from connectors.messages import Sender
from connectors.models import Receipt
from inbox import outbox
from inbox.intake import take_in
from inbox.intake.items import take
from inbox.locking import locked
from inbox.merging import CannotJoin, join, undo
from inbox.models import Case, Entry, Merge
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: list[Callable[[], object]], threads: int = 8) -> list[object]:
    """Runs all of it on threads that start together; what they raise is returned in place of a result."""
    start = threading.Barrier(threads)
    begun = threading.local()

    def run(each: Callable[[], object]) -> object:
        if not getattr(begun, "yes", False):
            begun.yes = True
            start.wait(timeout=30)
        try:
            return each()
        except Exception as error:  # noqa: BLE001  the test looks at what it was
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, work))


def taken(item: Any, connector: Any) -> Any:
    return take(item, Receipt(connector=connector, pk=0))


def test_two_first_messages_of_a_stranger_make_one_person_and_one_case(number: Any) -> None:
    stranger = Sender("+14155559999")
    items = [make.message(stranger, number, f"text {turn}") for turn in range(24)]
    outcomes = at_once([lambda item=item: taken(item, number) for item in items])  # type: ignore[misc]
    assert {outcome["outcome"] for outcome in outcomes} == {"entry"}
    assert Case.objects.count() == 1
    assert Entry.objects.filter(kind="message").count() == 24


def test_the_same_message_a_hundred_times_is_one_entry(maya: Any, number: Any) -> None:
    item = make.message(maya, number, "once", provider_id="SM-once")
    outcomes = at_once([lambda: taken(item, number)] * 100)
    assert [outcome["outcome"] for outcome in outcomes].count("entry") == 1
    assert [outcome["outcome"] for outcome in outcomes].count("duplicate") == 99
    assert Entry.objects.filter(kind="message").count() == 1


def test_one_receipt_claimed_by_many_workers_is_taken_in_once(maya: Any, number: Any) -> None:
    fields = {
        "MessageSid": "SM" + "1" * 32,
        "AccountSid": make.ACCOUNT_SID,
        "From": "+14155552671",
        "To": number.address,
        "Body": "hi",
        "NumMedia": "0",
    }
    receipt = Receipt.store(number, urlencode(fields).encode(), headers={"x-query-string": ""})
    assert receipt is not None
    assert at_once([lambda: take_in(receipt)] * 16).count(True) == 1
    assert Entry.objects.filter(kind="message").count() == 1


def test_mails_that_name_the_same_strangers_in_any_order_do_not_deadlock(mailbox: Any) -> None:
    people = [Sender(f"person{number}@crowd.test", name=f"Person {number}") for number in range(6)]
    items = []
    for turn in range(40):
        first, *rest = random.Random(turn).sample(people, 4)
        items.append(make.message(first, mailbox, f"mail {turn}", cc=rest))
    outcomes = at_once([lambda item=item: taken(item, mailbox) for item in items])  # type: ignore[misc]
    assert {outcome["outcome"] for outcome in outcomes} == {"entry"}, outcomes


def test_intake_agents_and_joins_in_parallel_leave_every_rule_standing(
    maya: Any, mailbox: Any, number: Any, account: Any, ana: Any, sam: Any
) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test", phone="+14155552672", instagram="1002003004005002")
    chance = random.Random(7)
    connectors = [mailbox, number, account]
    for person in (maya, jon):
        make.says(person, mailbox, "hello")

    def writes(turn: int) -> Callable[[], object]:
        person, connector = chance.choice([maya, jon]), chance.choice(connectors)
        item = make.message(person, connector, f"message {turn}")
        return lambda: taken(item, connector)

    def replies(turn: int) -> Callable[[], object]:
        person, agent = chance.choice([maya, jon]), chance.choice([ana, sam])

        def act() -> object:
            case = Case.objects.live().main().filter(customer=person.current()).first()
            if case is None:
                return None
            option = next((each for each in outbox.options(case) if each.is_usable and not each.confirm), None)
            if option is None:
                return None
            return outbox.reply(case, by=agent, option_key=option.key, text=f"reply {turn}", send_anyway=True)

        return act

    def resolves(turn: int) -> Callable[[], object]:
        person = chance.choice([maya, jon])

        def act() -> object:
            case = Case.objects.live().main().filter(customer=person.current()).first()
            if case:
                with locked(case) as current:
                    if current.is_live:
                        current.resolve(by=ana)
            return None

        return act

    def joins(turn: int) -> Callable[[], object]:
        def act() -> object:
            try:
                return join(maya, jon, by=sam, reason="test")
            except CannotJoin as refused:
                return refused.reason

        return act

    def parts(turn: int) -> Callable[[], object]:
        def act() -> object:
            merge = Merge.objects.filter(undone_at=None).order_by("-pk").first()
            if merge is None:
                return None
            try:
                undo(merge, by=sam)
            except CannotJoin as refused:
                return refused.reason
            return None

        return act

    kinds = [writes] * 5 + [replies] * 2 + [resolves, joins, parts]
    work = [chance.choice(kinds)(turn) for turn in range(160)]
    results = at_once(work)
    broken = [each for each in results if isinstance(each, Exception) and not isinstance(each, outbox.CannotSend)]
    assert not broken, broken
    assert not [each for each in results if isinstance(each, OperationalError)]
    quarantined = [each for each in results if isinstance(each, dict) and each["outcome"] == "quarantine"]
    assert not quarantined, quarantined
    asked = sum(1 for each in results if isinstance(each, dict) and each["outcome"] == "entry") + 2
    assert Entry.objects.filter(kind="message").count() == asked
    for case in Case.objects.live():
        assert case.customer.merged_into_id is None, f"{case} is live and its customer was merged away"
    live = list(Case.objects.live().main().values_list("customer_id", flat=True))
    assert len(live) == len(set(live))
    open_cases = set(Entry.objects.filter(is_open=True).values_list("case_id", flat=True))
    for case in Case.objects.filter(pk__in=open_cases):
        assert case.current().waiting_since is not None, f"{case} has an open entry and does not wait"
