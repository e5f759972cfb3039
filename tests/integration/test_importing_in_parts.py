"""A large file goes in some lines at a time: few people are locked at once, and no crash loses or doubles a line."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from customers.models import Customer, ExternalId, Order
from inbox import importing, proposing
from inbox.importing import Unreadable, going_on
from inbox.models import FileImport, ImportState, Proposal
from inbox.proposing import imported
from tests.integration.test_many_at_once import at_once

pytestmark = pytest.mark.django_db
HEAD = "external_id,name,email\n"
PEOPLE = HEAD + "".join(f"{each},Person {each},p{each}@mail.test\n" for each in range(1, 8))


class Killed(BaseException):
    """As a worker that is killed: nothing of it gets a word in."""


@pytest.fixture(autouse=True)
def two_at_a_time(monkeypatch: Any) -> None:
    monkeypatch.setattr("inbox.importing.going_on.AT_ONCE", 2)


def begun(text: str = PEOPLE, what: str = "customers") -> FileImport:
    return importing.begin(text.encode(), what, source="shop", by=None, name="people.csv")


def breaks(monkeypatch: Any, error: BaseException, *, after: int) -> None:
    """Taking works so many times; then it raises."""
    take, calls = going_on.take_customers, []

    def taking(*told: Any, **about: Any) -> Any:
        taken = take(*told, **about)
        calls.append(1)
        if len(calls) > after:
            raise error
        return taken

    monkeypatch.setattr("inbox.importing.going_on.take_customers", taking)


def again(run: FileImport) -> FileImport:
    run.refresh_from_db()
    return run


def its_lease_ends(run: FileImport) -> None:
    FileImport.objects.filter(pk=run.pk).update(leased_until=now() - timedelta(seconds=1))


def test_a_file_is_begun_at_once_and_taken_by_whoever_comes_first() -> None:
    run = begun()
    assert (run.state, run.done, run.total, Customer.objects.count()) == ("running", 0, 7, 0)
    importing.go_on_task(run.pk)
    assert (again(run).state, run.done, run.made, run.known) == ("done", 7, 7, 0)
    assert bytes(run.content) == b""
    assert importing.catch_up() == 0


def test_only_those_of_a_few_lines_are_locked_at_once(monkeypatch: Any) -> None:
    importing.take_file(PEOPLE.encode(), "customers", source="shop", by=None)
    locked: list[int] = []
    lock = importing.taking.lock
    monkeypatch.setattr("inbox.importing.taking.lock", lambda *ids: (locked.append(len(ids)), lock(*ids))[1])
    importing.take_file(PEOPLE.encode(), "customers", source="shop", by=None)
    assert locked == [2, 2, 2, 1]


def test_a_bad_line_anywhere_begins_nothing() -> None:
    for text, what in ((PEOPLE + "8,Kim,nothing\n", "customers"), ("external_id,number\n9,1\n", "orders")):
        with pytest.raises(Unreadable):
            begun(text, what)
    assert not FileImport.objects.exists()
    assert not Customer.objects.exists()


def test_a_killed_worker_leaves_whole_parts_and_the_sweeper_goes_on_from_there(monkeypatch: Any) -> None:
    run = begun()
    with monkeypatch.context() as broken:
        breaks(broken, Killed(), after=2)
        with pytest.raises(Killed):
            importing.go_on(run.pk)
    assert (again(run).state, run.done, ExternalId.objects.count()) == ("running", 4, 4)
    assert run.share == "4 of 7 lines imported: 4 new, 0 already known."
    assert importing.catch_up() == 0  # it may still be alive
    its_lease_ends(run)
    importing.catch_up()
    assert (again(run).state, run.done, run.made, run.known) == ("done", 7, 7, 0)
    assert (Customer.objects.count(), ExternalId.objects.count()) == (7, 7)


@pytest.mark.django_db(transaction=True)
def test_several_workers_on_one_file_count_no_line_twice(monkeypatch: Any) -> None:
    """As if each lease had ended while its worker still worked; none of them was killed."""
    monkeypatch.setattr("inbox.importing.going_on.LEASE", timedelta())
    monkeypatch.setattr("inbox.importing.going_on.MOST_TRIES", 100)
    run = begun()
    done = at_once([lambda: importing.go_on(run.pk)] * 8)
    assert not [each for each in done if isinstance(each, Exception)]
    importing.catch_up()
    assert (again(run).state, run.done, run.made, run.known) == ("done", 7, 7, 0)
    assert (Customer.objects.count(), ExternalId.objects.count()) == (7, 7)


def test_what_breaks_again_and_again_stops_and_says_how_much_is_in(
    monkeypatch: Any, sue: Any, ana: Any, browser_of: Any
) -> None:
    run, page = begun(), f"/customers/import/{FileImport.objects.get().pk}/"
    browser = browser_of(sue)
    with monkeypatch.context() as broken:
        breaks(broken, ValueError("x"), after=1)
        importing.go_on(run.pk)
        assert (again(run).state, run.done, run.reason) == ("running", 2, "Something broke (ValueError).")
        assert "It will be retried automatically." in browser.get(page).content.decode()
        for _ in going_on.PATIENCE:
            its_lease_ends(run)
            importing.catch_up()
    assert (again(run).state, run.done, run.can_go_on) == (ImportState.STOPPED, 2, True)
    shown = browser.get(page).content.decode()
    assert "2 of 7 lines imported: 2 new, 0 already known." in shown
    assert "Something broke (ValueError). The next part could not be imported" in shown
    assert not re.search(r"[Ll]ine \d|200", shown)
    assert browser_of(ana).get(page).status_code == browser_of(ana).post(f"{page}again/").status_code == 403
    browser.post(f"{page}again/")
    importing.catch_up()
    assert (again(run).state, run.made) == ("done", 7)


def test_a_part_that_kills_its_worker_each_time_stops_the_file_and_says_so(
    monkeypatch: Any, sue: Any, browser_of: Any
) -> None:
    run = begun()
    with monkeypatch.context() as broken:
        breaks(broken, Killed(), after=1)
        for _ in range(1 + len(going_on.PATIENCE)):
            with pytest.raises(Killed):
                importing.go_on(run.pk)
            its_lease_ends(run)
        assert (again(run).state, run.done) == ("running", 2)
        assert importing.catch_up() == 1  # and nothing killed it
    assert (again(run).state, run.can_go_on) == (ImportState.STOPPED, True)
    assert "The import was cut off." in browser_of(sue).get(f"/customers/import/{run.pk}/").content.decode()
    assert importing.try_again(run)
    importing.catch_up()
    assert (again(run).state, run.made) == ("done", 7)


def test_turns_that_end_well_are_no_tries_that_failed(monkeypatch: Any) -> None:
    run = begun()
    monkeypatch.setattr("inbox.importing.going_on.TURN", 1.5)
    monkeypatch.setattr("time.monotonic", iter(range(1000)).__next__)
    assert importing.go_on(run.pk) is True
    assert (again(run).state, run.done, run.attempts) == ("running", 2, 0)


def test_a_part_that_is_rolled_back_at_its_end_is_waited_for_longer_each_time(monkeypatch: Any, caplog: Any) -> None:
    take = going_on.take_customers

    def taking(*told: Any, **about: Any) -> Any:
        taken = take(*told, **about)
        taken.left.append("\x00")  # which the database refuses, when all else is written
        return taken

    monkeypatch.setattr("inbox.importing.going_on.take_customers", taking)
    run, waits = begun(), []
    for _ in going_on.PATIENCE:
        importing.go_on(run.pk)
        waits.append(round((again(run).leased_until - now()).total_seconds()))
        its_lease_ends(run)
    assert waits == going_on.PATIENCE
    assert {each.getMessage() for each in caplog.records} == {f"Import {run.pk} broke when 0 of 7 lines were in"}
    importing.go_on(run.pk)
    assert (again(run).state, run.done, Customer.objects.count()) == (ImportState.STOPPED, 0, 0)


def test_the_page_asks_how_far_it_is_until_it_is_done(sue: Any, browser_of: Any) -> None:
    browser = browser_of(sue)
    file = SimpleUploadedFile("people.csv", PEOPLE.encode())
    answer = browser.post("/customers/import/", {"what": "customers", "source": "shop", "file": file})
    run = FileImport.objects.get()
    assert answer["Location"] == f"/customers/import/{run.pk}/"
    assert (run.name, run.made_by) == ("people.csv", sue)
    fragment = {"headers": {"HX-Request": "true"}}
    assert 'hx-trigger="every 1s"' in browser.get(answer["Location"], **fragment).content.decode()
    importing.go_on(run.pk)
    done = browser.get(answer["Location"], **fragment).content.decode()
    assert "hx-trigger" not in done
    assert "7 new, 0 already known." in done
    assert "people.csv" in browser.get("/customers/import/").content.decode()


def test_a_turn_ends_after_a_while_and_the_next_one_goes_on(monkeypatch: Any) -> None:
    monkeypatch.setattr("inbox.importing.going_on.TURN", 0)
    run = begun()
    monkeypatch.setattr("time.monotonic", iter(range(1000)).__next__)
    monkeypatch.setattr("inbox.importing.going_on.TURN", 1.5)
    assert importing.go_on(run.pk) is True
    assert again(run).done == 2
    monkeypatch.undo()
    importing.catch_up()
    assert again(run).state == "done"


def test_who_was_told_of_an_address_of_somebody_else_is_weighed_however_many_they_are(
    maya: Customer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("inbox.proposing.imported.MOST_AT_ONCE", 1)
    jon = Customer.objects.create(name="Jon Bell", has_written=True)
    jon.identities.create(kind="email", value="jon@bell.test", origin="the import")
    text = HEAD + "1,M. Ortiz,maya@ortiz.test m@mail.test\n2,Person,p@mail.test\n3,J. Bell,jon@bell.test j@mail.test\n"
    run = importing.take_file(text.encode(), "customers", source="shop", by=None)
    assert (len(run.left), len(run.doubtful)) == (2, 2)
    for _ in run.doubtful:
        proposing.catch_up()
    assert again(run).doubtful == []
    assert Proposal.objects.undecided().of([maya.pk]).exists()
    assert Proposal.objects.undecided().of([jon.pk]).exists()


def test_two_who_weigh_the_same_ones_at_once_leave_out_nobody(monkeypatch: Any) -> None:
    run = begun()
    FileImport.objects.update(doubtful=[1, 2, 3])
    monkeypatch.setattr("inbox.proposing.imported.MOST_AT_ONCE", 2)
    with monkeypatch.context() as other:
        other.setattr("inbox.proposing.imported.propose_some", lambda ids: (other.undo(), imported.propose_imported()))
        imported.propose_imported()
    assert again(run).doubtful == [3]


def test_a_customer_who_is_gone_meanwhile_is_left_out_of_the_orders_and_named() -> None:
    importing.take_file(PEOPLE.encode(), "customers", source="shop", by=None)
    run = begun("external_id,number\n1,a\n2,b\n3,c\n", "orders")
    ExternalId.objects.filter(value="2").delete()
    importing.go_on(run.pk)
    assert (again(run).state, run.made, Order.objects.count()) == ("done", 2, 2)
    assert run.left == ["There is no 2 in shop any more; that line was skipped."]


def test_what_was_left_is_told_for_a_day_and_then_only_counted(maya: Customer) -> None:
    run = importing.take_file(f"{HEAD}1,M,maya@ortiz.test\n".encode(), "customers", source="shop", by=None)
    assert run.left
    FileImport.objects.update(ended_at=now() - timedelta(days=2))
    importing.catch_up()
    assert (again(run).left, run.left_count, run.untold) == ([], 1, 1)
