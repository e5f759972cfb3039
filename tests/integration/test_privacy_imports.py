"""Whom we forget is also forgotten by the files that were imported lately: by what was left, and by the file itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.timezone import now

from customers.models import Customer, Identity
from inbox import importing, privacy
from inbox.models import FileImport
from tests import make

pytestmark = pytest.mark.django_db

HEAD = "external_id,name,email\n"


@pytest.fixture
def jon() -> Customer:
    return make.customer("Jon Hale", email="jon@hale.test", phone="+14155550188")


def run(text: str, state: str = "done") -> FileImport:
    """Of a file that was taken, or that stopped at its beginning."""
    found = importing.begin(text.encode(), "customers", source="shop", by=None, name="people.csv")
    if state == "stopped":
        FileImport.objects.filter(pk=found.pk).update(state=state, ended_at=now(), reason="Something broke (OSError).")
    else:
        importing.go_on_task(found.pk)
    return FileImport.objects.get(pk=found.pk)


def page(browser: Any, of: FileImport) -> str:
    return str(browser.get(f"/customers/import/{of.pk}/").content.decode())


@pytest.mark.parametrize("whole", [True, False], ids=["the person", "the address"])
def test_what_an_import_left_names_nobody_who_was_erased(
    whole: bool, jon: Customer, adam: Any, sue: Any, browser_of: Any
) -> None:
    make.customer("Ann Lee", email="ann@lee.test")
    taken = run(f"{HEAD}C-8,Ann,ann@lee.test\nC-9,Jon,jon@hale.test\n")
    assert "jon@hale.test of C-9 was left with Jon Hale" in " ".join(taken.left)
    if whole:
        privacy.erase_person(jon, by=adam, why="Asked to")
    else:
        privacy.erase_address(jon.identities.get(kind="email"), by=adam, why="Asked to")
    seen = page(browser_of(sue), taken)
    assert "jon@hale.test" not in seen
    assert ("Jon Hale" in seen) is not whole
    assert "ann@lee.test of C-8 was left with Ann Lee" in seen


@pytest.mark.parametrize(
    "line", ["C-9,Jon,JON@hale.test,", "C-9,Jon Hale,,", "C-9,,,+1 (415) 555-0188", "C-9,,,+14155550188"]
)
def test_a_file_that_stopped_and_names_them_is_not_kept_for_another_try(
    line: str, jon: Customer, adam: Any, sue: Any, browser_of: Any
) -> None:
    stopped = run(f"external_id,name,email,phone\n{line}\n", "stopped")
    assert "Try the rest again" in page(browser_of(sue), stopped)
    privacy.erase_person(jon, by=adam, why="Asked to")
    stopped.refresh_from_db()
    assert bytes(stopped.content) == b""
    assert not importing.try_again(stopped)
    seen = page(browser_of(sue), stopped)
    assert "somebody who has been erased" in seen
    assert "Try the rest again" not in seen


def test_a_file_that_speaks_of_others_can_go_on(jon: Customer, adam: Any) -> None:
    stopped = run(f"{HEAD}C-8,Ann Lee,ann.jon@hale.test.example\n", "stopped")
    privacy.erase_person(jon, by=adam, why="Asked to")
    assert importing.try_again(stopped)
    importing.go_on_task(stopped.pk)
    assert Identity.objects.filter(value="ann.jon@hale.test.example").exists()


def test_a_file_that_calls_them_as_another_system_does_is_not_kept_either(jon: Customer, adam: Any) -> None:
    run(f"{HEAD}C-9,Jon Hale,new@hale.test\n")
    stopped = importing.begin(b"external_id,number\nC-9,48213\n", "orders", source="shop", by=None, name="o.csv")
    FileImport.objects.filter(pk=stopped.pk).update(state="stopped", ended_at=now())
    privacy.erase_person(Identity.objects.get(value="new@hale.test").customer, by=adam, why="Asked to")
    assert bytes(FileImport.objects.get(pk=stopped.pk).content) == b""


def test_what_is_left_while_somebody_is_erased_is_not_brought_back(jon: Customer, adam: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("inbox.importing.going_on.AT_ONCE", 1)
    take, parts = importing.going_on.take_customers, []

    def taking(*told: Any, **about: Any) -> Any:
        parts.append(1)
        if len(parts) == 2:
            privacy.erase_person(jon, by=adam, why="Asked to")
        return take(*told, **about)

    monkeypatch.setattr("inbox.importing.going_on.take_customers", taking)
    taken = run(f"{HEAD}C-9,Jon,jon@hale.test\nC-8,Ann,ann@lee.test\n")
    assert taken.left_count
    assert "jon" not in " ".join(taken.left).casefold()
