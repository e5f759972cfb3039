"""Statements that travel together, and rows that go without the ORM's compiler: they do what Django's own would do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from config.database import rows
from connectors.messages import Classification
from connectors.models import Connector, Receipt
from customers.models import Customer, Identity
from inbox.models import Case, Entry, EntryKind, Status

pytestmark = pytest.mark.django_db(transaction=True)

RENAME = "UPDATE customers_customer SET name = %s WHERE id = %s"
NAME_OF = "SELECT name FROM customers_customer WHERE id = %s"


@pytest.fixture
def bob() -> Customer:
    return Customer.objects.create(name="Bob")


def named(customer: Customer) -> str:
    return Customer.objects.get(pk=customer.pk).name


def test_what_was_sent_is_done_before_the_next_statement(bob: Customer) -> None:
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
        assert named(bob) == "Robert"


def test_what_was_sent_is_committed_with_the_transaction(bob: Customer) -> None:
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
    assert named(bob) == "Robert"


def test_outside_a_transaction_it_leaves_at_once(bob: Customer) -> None:
    rows.send(RENAME, ["Robert", bob.pk])
    assert rows.ask(NAME_OF, [bob.pk]).rows() == [("Robert",)]


def test_outside_a_transaction_what_points_nowhere_is_told_and_hurts_nobody_after_it(bob: Customer) -> None:
    nowhere = Identity(kind="email", value="bob@lee.test", customer_id=bob.pk + 1)  # looked at when all else is done
    with pytest.raises(IntegrityError):
        rows.insert_later(nowhere)
    assert named(bob) == "Bob"


def test_inside_one_what_points_nowhere_is_told_by_the_commit_and_hurts_nobody_after_it(bob: Customer) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert_later(Identity(kind="email", value="bob@lee.test", customer_id=bob.pk + 1))
    assert named(bob) == "Bob"


def test_a_row_whose_id_is_reserved_is_stored_under_it_and_nobody_waits(bob: Customer) -> None:
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        other = Customer(pk=bob.pk + 100, name="Ann")
        rows.insert(other)
        assert not any("customers_customer" in each["sql"] for each in asked)
    assert (other._state.adding, Customer.objects.get(pk=bob.pk + 100).name) == (False, "Ann")


def test_each_sees_what_was_sent_before_it(bob: Customer) -> None:
    with transaction.atomic():
        before = rows.ask(NAME_OF, [bob.pk])
        rows.send(RENAME, ["Robert", bob.pk])
        after = rows.ask(NAME_OF, [bob.pk])
        assert (after.rows(), before.rows()) == ([("Robert",)], [("Bob",)])


def test_what_was_sent_goes_with_a_transaction_that_is_rolled_back(bob: Customer) -> None:
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
        transaction.set_rollback(True)
    assert named(bob) == "Bob"


def test_a_savepoint_takes_back_what_was_sent_since_and_nothing_before(bob: Customer) -> None:
    ann = Customer.objects.create(name="Ann")
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
        with transaction.atomic():
            rows.send(RENAME, ["Anna", ann.pk])
            transaction.set_rollback(True)
    assert (named(bob), named(ann)) == ("Robert", "Ann")


def test_what_contradicts_is_raised_at_the_commit_and_nothing_is_kept(bob: Customer) -> None:
    with pytest.raises(IntegrityError):
        _rename_and_contradict(bob, and_then=lambda: None)
    assert named(bob) == "Bob"
    assert named(bob) == "Bob"  # and the connection is well


def test_what_contradicts_is_raised_by_the_next_statement(bob: Customer) -> None:
    with pytest.raises(IntegrityError):
        _rename_and_contradict(bob, and_then=lambda: pytest.fail(f"It went on, and read {named(bob)}."))
    assert named(bob) == "Bob"


def _rename_and_contradict(bob: Customer, *, and_then: Callable[[], None]) -> None:
    mail = Identity.objects.create(kind="email", value="bob@stone.test", customer=bob)
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
        rows.insert_later(Identity(kind="email", value=mail.value, customer=bob))
        and_then()


def test_what_cannot_be_stored_is_told_like_everywhere(bob: Customer) -> None:
    with pytest.raises(DataError), transaction.atomic():
        rows.send(RENAME, ["x" * 500, bob.pk])
    with pytest.raises(DataError), transaction.atomic():
        rows.send(RENAME, ["a\0b", bob.pk])
    assert named(bob) == "Bob"


def test_what_cannot_even_be_sent_is_rolled_back_like_everything_else(bob: Customer) -> None:
    with pytest.raises(DataError), transaction.atomic():
        rows.send(RENAME, ["half a \ud800 character", bob.pk])
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
    assert connection.get_autocommit()
    assert named(bob) == "Robert"


def test_a_column_that_a_migration_adds_disturbs_nobody_who_is_at_work(bob: Customer) -> None:
    def locked() -> str:
        with transaction.atomic():
            return Customer.objects.locked([bob.pk])[0].name

    assert {locked() for _ in range(8)} == {"Bob"}  # prepared by now
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customer ADD COLUMN shoe_size integer")
    try:
        assert locked() == "Bob"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE customers_customer DROP COLUMN shoe_size")


def test_reading_in_chunks_and_many_rows_at_once_come_after_what_was_sent(bob: Customer) -> None:
    with transaction.atomic():
        rows.send(RENAME, ["Robert", bob.pk])
        assert [each.name for each in Customer.objects.iterator()] == ["Robert"]
        rows.send(RENAME, ["Rob", bob.pk])
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE customers_customer SET name = name || %s WHERE id = %s", [["b", bob.pk]] * 2)
        assert named(bob) == "Robbb"


def test_three_that_are_sent_cost_one_round_trip_and_are_counted(bob: Customer) -> None:
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        for name in ("Robert", "Rob", "Bert"):
            rows.send(RENAME, [name, bob.pk])
    assert len([query for query in captured if "customers_customer" in query["sql"]]) == 3
    assert named(bob) == "Bert"


def test_what_is_asked_after_a_lock_is_asked_once_it_is_ours(bob: Customer) -> None:
    """Another transaction holds the lock and changes the name: who waited for it reads the new one."""
    asked, told = threading.Event(), []

    def wait_for_it() -> None:
        with transaction.atomic():
            locking = Customer.objects.ask_to_lock([bob.pk])
            name = rows.ask(NAME_OF, [bob.pk])
            asked.set()
            locking.arrived()
            told.extend(name.rows())
        connection.close()

    with transaction.atomic():
        Customer.objects.locked([bob.pk])
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        assert asked.wait(10)
        _until_somebody_waits()
        Customer.objects.filter(pk=bob.pk).update(name="Robert")
    waiting.join(10)
    assert told == [("Robert",)]


def _until_somebody_waits() -> None:
    with connection.cursor() as cursor:
        for _ in range(1_000):
            cursor.execute("SELECT pg_sleep(0.01), count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[1]:
                return
    raise AssertionError("Nobody waited for the lock.")


def test_an_inserted_row_is_what_django_would_have_stored(bob: Customer, mailbox: Connector) -> None:
    def entry() -> Entry:
        return Entry(
            kind=EntryKind.MESSAGE,
            classification=Classification.PERSON,
            connector=mailbox,
            text="The lid is cracked, señor.",
            headers={"to": ["a@x.test"], "cc": []},
            sent_at=now(),
            data={"late": True},
        )

    ours, theirs = entry(), entry()
    with transaction.atomic():
        rows.insert(ours)
    theirs.save(force_insert=True)
    assert not ours._state.adding
    assert ours.pk < theirs.pk
    assert _columns(ours, but={"id", "uuid", "created_at", "sent_at"}) == _columns(
        theirs, but={"id", "uuid", "created_at", "sent_at"}
    )


def test_fields_are_updated_as_django_would(bob: Customer, mailbox: Connector) -> None:
    case = Case.objects.start(bob, mailbox.team, "Lid")
    case.status, case.channels, case.open_channels = Status.WAITING, ["email", "sms"], []
    case.moved_at, case.named_ids = now(), None
    rows.update_later(case, ["status", "channels", "open_channels", "moved_at", "named_ids", "team"])
    assert _columns(case, but=set()) == _columns(Case.objects.get(pk=case.pk), but=set())


def _columns(row: Any, *, but: set[str]) -> dict[str, Any]:
    fresh = type(row).objects.get(pk=row.pk)
    return {field.name: getattr(fresh, field.attname) for field in row._meta.concrete_fields if field.name not in but}


def test_what_is_fetched_is_what_django_would_have_read(mailbox: Connector) -> None:
    key = Receipt.store(mailbox, b"From: a@x.test\r\n\r\nHello", headers={"use": "inbox"})
    found = rows.fetch(Receipt, "SELECT *, 1 + 1 AS two FROM connectors_receipt WHERE id = %s", [key])[0]
    assert found.two == 2  # type: ignore[attr-defined]
    assert found.headers == {"use": "inbox"}
    assert bytes(found.body).endswith(b"Hello")
    assert _columns(found, but=set()) == {
        field.name: getattr(found, field.attname) for field in found._meta.concrete_fields
    }
