"""Messages that came together are stored with one COMMIT, and none of them is any worse for the company."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.db import InterfaceError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from connectors.models import Connector, Receipt, ReceiptState
from customers.models import Customer, Identity
from inbox.intake import messages, take_in_each, together
from inbox.models import Case, Entry, EntryKind
from tests import make
from tests.integration.test_receipts import WITH_FILE
from tests.integration.test_webhooks import text_from

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [f"+1415555267{number}" for number in range(6)]


def texts(number: Connector, *words: str) -> list[int]:
    """From as many people as there are words; the receipts, in their order."""
    for at, body in enumerate(words):
        text_from(number, body, sid=f"SM{at:032}", From=PEOPLE[at])
    return sorted(Receipt.objects.values_list("pk", flat=True))


def stored() -> list[str]:
    return list(Entry.objects.filter(kind=EntryKind.MESSAGE).order_by("pk").values_list("text", flat=True))


@pytest.fixture
def read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are read before the first is stored, however busy the machine is."""
    real = together.store

    def store(left: Any) -> int:
        for _, reading in left:
            reading.exception()
        return real(left)

    monkeypatch.setattr(together, "store", store)


@pytest.fixture
def receiving(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], None]], None]:
    """`receiving(then)`: whenever a message is taken in, `then` runs first with its words."""
    real = messages.receive

    def spied(then: Callable[[str], None]) -> None:
        def receive(connector: Any, item: Any, **about: Any) -> Any:
            then(item.text)
            return real(connector, item, **about)

        monkeypatch.setattr(messages, "receive", receive)

    return spied


def test_messages_that_came_together_are_stored_with_one_commit(number: Connector, read_at_once: None) -> None:
    ids = texts(number, "one", "two", "three", "four")
    with CaptureQueriesContext(connection) as asked:
        take_in_each(ids)
    assert stored() == ["one", "two", "three", "four"]
    assert sum(each["sql"] == "COMMIT" for each in asked) == 1
    for receipt in Receipt.objects.all():
        assert (receipt.state, receipt.reason, receipt.attempts) == (ReceiptState.DONE, "", 1)
        (outcome,) = receipt.outcomes
        assert Entry.objects.get(pk=outcome["entry"]).case_id == outcome["case"]


def test_everybody_hears_of_all_of_them_after_the_commit(
    number: Connector, read_at_once: None, heard: list[Any]
) -> None:
    take_in_each(texts(number, "one", "two", "three"))
    told = [each for each in heard if each["kind"] == "case"]
    assert [each["case"] for each in told] == list(Case.objects.order_by("pk").values_list("pk", flat=True))


def test_the_first_words_of_somebody_new_are_stored_with_their_case_at_once(number: Connector) -> None:
    ids = texts(number, "hello there")
    with CaptureQueriesContext(connection) as asked:
        take_in_each(ids)
    of_the_case = [each["sql"].split()[0] for each in asked if '"inbox_case"' in each["sql"]]
    assert of_the_case == ["INSERT"]
    case, entry = Case.objects.get(), Entry.objects.get()
    assert (case.subject, case.last_entry_id, case.version) == ("hello there", entry.pk, 1)
    assert (entry.case_id, case.customer.has_written) == (case.pk, True)
    assert case.waiting_since == entry.reached_us_at


@pytest.mark.parametrize("which", [0, 1, 3])
def test_one_that_is_here_already_keeps_no_other_out(number: Connector, read_at_once: None, which: int) -> None:
    words = ["one", "two", "three", "four"]
    ids = texts(number, *words)
    take_in_each([ids[which]])
    assert stored() == [words[which]]
    Receipt.objects.filter(pk=ids[which]).update(
        state=ReceiptState.WAITING, outcomes=[], attempts=0, next_attempt_at=now()
    )
    take_in_each(ids)
    assert sorted(stored()) == sorted(words)
    known = Receipt.objects.get(pk=ids[which])
    assert [each["outcome"] for each in known.outcomes] == ["duplicate"]


def test_one_that_breaks_is_set_aside_and_the_others_are_in(
    number: Connector, read_at_once: None, receiving: Any
) -> None:
    def breaks(words: str) -> None:
        if words == "two":
            raise ZeroDivisionError("of its own making")

    receiving(breaks)
    take_in_each(texts(number, "one", "two", "three"))
    assert stored() == ["one", "three"]
    assert list(Receipt.objects.order_by("pk").values_list("state", flat=True)) == ["done", "quarantined", "done"]


def test_a_worker_that_is_told_to_stop_leaves_the_others_free_at_once(
    number: Connector, read_at_once: None, receiving: Any
) -> None:
    def stops(words: str) -> None:
        if words == "two":
            raise SystemExit

    receiving(stops)
    ids = texts(number, "one", "two", "three")
    with pytest.raises(SystemExit):
        take_in_each(ids)
    assert stored() == []
    waiting = dict(Receipt.objects.due().values_list("pk", "attempts"))
    assert waiting == {ids[0]: 0, ids[2]: 0}
    assert Receipt.objects.get(pk=ids[1]).attempts == 1
    receiving(lambda _: None)
    Receipt.objects.update(next_attempt_at=now())
    take_in_each(ids)
    assert stored() == ["one", "two", "three"]


def test_a_worker_that_is_told_to_stop_before_the_first_leaves_all_of_them_free(
    number: Connector, read_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*_: Any) -> None:
        raise SystemExit

    ids = texts(number, "one", "two", "three")
    with monkeypatch.context() as patched:
        patched.setattr(together.rows, "send", stops)
        with pytest.raises(SystemExit):
            take_in_each(ids)
    assert dict(Receipt.objects.due().values_list("pk", "attempts")) == dict.fromkeys(ids, 0)


def test_a_connection_that_breaks_between_two_bunches_is_given_up_and_nothing_waits_for_a_lease(
    number: Connector, read_at_once: None, receiving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends() -> None:
        """As when the server is restarted while a hook asks something, whose error nobody hears."""
        connection.connection.close()

    def breaks(words: str) -> None:
        if words == "one":
            transaction.on_commit(ends, robust=True)

    monkeypatch.setattr(together, "MOST", 0)  # a bunch for each
    receiving(breaks)
    ids = texts(number, "one", "two", "three")
    with pytest.raises((InterfaceError, OperationalError)):
        take_in_each(ids)
    assert stored() == ["one"]
    assert dict(Receipt.objects.filter(state=ReceiptState.WAITING).values_list("pk", "attempts")) == {
        ids[1]: 0,
        ids[2]: 0,
    }
    assert Receipt.objects.due().get().pk == ids[2]


@pytest.mark.parametrize(("kept", "commits"), [(None, 1), (InMemoryStorage(), 3)])
def test_nobody_is_kept_locked_while_a_file_goes_to_a_store_elsewhere(
    number: Connector,
    mailbox: Connector,
    read_at_once: None,
    monkeypatch: pytest.MonkeyPatch,
    kept: InMemoryStorage | None,
    commits: int,
) -> None:
    if kept:
        monkeypatch.setattr(together, "default_storage", kept)
    texts(number, "one")
    Receipt.store(mailbox, WITH_FILE, headers={})
    ids = texts(number, "one", "two")  # the first is known to be here
    with CaptureQueriesContext(connection) as asked:
        take_in_each(ids)
    assert sum(each["sql"] == "COMMIT" for each in asked) == commits
    assert Entry.objects.filter(kind=EntryKind.MESSAGE).count() == 3


def test_whoever_holds_the_second_person_and_wants_the_first_does_not_wait_in_a_circle(
    number: Connector, read_at_once: None, receiving: Any
) -> None:
    """A join locks two people. It gets both, though the one has just written and the other is about to."""
    one, two = (make.customer(f"Somebody {at}", phone=PEOPLE[at]) for at in range(2))
    ids, errors = texts(number, "one", "two"), []
    second_is_held, first_is_held = threading.Event(), threading.Event()

    def joins() -> None:
        try:
            with transaction.atomic():
                Customer.objects.locked([two.pk])
                second_is_held.set()
                assert first_is_held.wait(30)
                Customer.objects.locked([one.pk])
        except Exception as error:  # noqa: BLE001  a deadlock
            errors.append(error)
        finally:
            connection.close()

    def first(words: str) -> None:
        if words == "two":
            first_is_held.set()  # the first message is stored, and not committed

    receiving(first)
    joining = threading.Thread(target=joins)
    joining.start()
    assert second_is_held.wait(30)
    take_in_each(ids)
    joining.join(30)
    assert errors == []
    assert stored() == ["one", "two"]


def test_a_campaigns_answer_of_somebody_new_makes_nobody_who_has_written(number: Connector) -> None:
    number.options = {"filed_words": "WIN"}
    number.save()
    take_in_each(texts(number, "WIN", "hello"))
    won, said = (Identity.objects.get(value=each).customer for each in PEOPLE[:2])
    assert (won.has_written, said.has_written) == (False, True)
    assert Entry.objects.get(text="WIN").case is None


def test_what_had_to_be_taken_in_one_by_one_is_noted(
    number: Connector, read_at_once: None, receiving: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(words: str) -> None:
        if words == "two":
            raise ZeroDivisionError

    receiving(breaks)
    with caplog.at_level(logging.INFO, "inbox.intake.together"):
        take_in_each(texts(number, "one", "two"))
    assert "2 messages are taken in one by one: ZeroDivisionError" in caplog.text
