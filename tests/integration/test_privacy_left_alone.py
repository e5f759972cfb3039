"""A sensitive case whose named people have all left: those who may name people hear of it, and name somebody."""

from __future__ import annotations

from typing import Any

import pytest

from inbox import privacy
from inbox.models import Act, Agent, Audit, Case
from tests import make

pytestmark = pytest.mark.django_db

SECRET = "diagnosis"
BANNER = "Nobody can see a sensitive case: everyone named in it has left."


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def case(maya: Any, mailbox: Any, ana: Any) -> Any:
    """Maya's, about her health, which named Ana alone, who has left."""
    found = make.says(maya, mailbox, f"My {SECRET} came", subject=f"About my {SECRET}").case
    privacy.hide(found, "health", [ana.pk], by=ana)
    Agent.objects.filter(pk=ana.pk).update(is_active=False)
    return fresh(found)


@pytest.mark.parametrize("path", ["/board/", "/health/", "/inbox/mine/"])
def test_admins_are_told_on_every_page_and_nothing_of_it_is_shown(
    case: Any, adam: Any, browser_of: Any, path: str
) -> None:
    page = browser_of(adam).get(path).content.decode()
    assert BANNER in page
    assert 'href="/privacy/sensitive/"' in page
    assert not [word for word in (SECRET, "Maya", f"#{case.pk}") if word in page]


def test_those_who_may_name_nobody_are_told_nothing(case: Any, sue: Any, sam: Any, browser_of: Any) -> None:
    assert BANNER not in browser_of(sue).get("/board/").content.decode()
    assert BANNER not in browser_of(sam).get("/inbox/mine/").content.decode()


def test_nobody_is_told_while_one_of_them_is_there_or_it_is_over(
    case: Any, ana: Any, lee: Any, adam: Any, browser_of: Any
) -> None:
    Case.objects.filter(pk=case.pk).update(named_ids=[ana.pk, lee.pk])
    assert BANNER not in browser_of(adam).get("/board/").content.decode()
    Agent.objects.filter(pk=lee.pk).update(is_active=False)
    assert BANNER in browser_of(adam).get("/board/").content.decode()
    fresh(case).resolve(by=None)
    assert BANNER not in browser_of(adam).get("/board/").content.decode()


def test_one_that_names_nobody_at_all_is_one_of_these(case: Any, adam: Any, browser_of: Any) -> None:
    Case.objects.filter(pk=case.pk).update(named_ids=[])
    assert BANNER in browser_of(adam).get("/board/").content.decode()


def test_an_admin_names_somebody_and_it_rings_no_more(
    case: Any, sam: Any, ana: Any, adam: Any, browser_of: Any
) -> None:
    client = browser_of(adam)
    page = client.get("/privacy/sensitive/").content.decode()
    assert "Add someone" in page
    assert "Sam Reed" in page or sam.name in page
    assert ana.name not in page
    answer = client.post(f"/privacy/sensitive/{case.pk}/name/", {"agent": sam.pk, "why": "Ana has left"})
    assert answer.status_code == 302
    assert fresh(case).named_ids == sorted([ana.pk, sam.pk])
    assert SECRET in browser_of(sam).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert client.get(f"/inbox/open/c/{case.pk}/").status_code == 404, "who names is not named"
    assert Audit.objects.filter(act=Act.SENSITIVE).latest("pk").why == f"named {sam.name}: Ana has left"
    assert BANNER not in client.get("/board/").content.decode()
    assert f"named {sam.short_name}" in case.entries.filter(event="sensitive").latest("pk").text


@pytest.mark.parametrize(
    ("said", "problem"),
    [({"why": "x"}, "Choose who is to see it"), ({"agent": "7777", "why": "x"}, "Choose who"), ({}, "Say why")],
)
def test_somebody_and_a_reason_are_needed(
    case: Any, adam: Any, browser_of: Any, said: dict[str, str], problem: str
) -> None:
    answer = browser_of(adam).post(f"/privacy/sensitive/{case.pk}/name/", said or {"agent": adam.pk})
    assert answer.status_code == 422
    assert problem in answer.content.decode()


def test_nobody_but_an_admin_names_anybody(case: Any, sue: Any, sam: Any, browser_of: Any) -> None:
    answer = browser_of(sue).post(f"/privacy/sensitive/{case.pk}/name/", {"agent": sam.pk, "why": "curious"})
    assert answer.status_code == 403


def test_nobody_else_is_named_while_somebody_who_was_named_is_there(
    case: Any, sam: Any, lee: Any, adam: Any, browser_of: Any
) -> None:
    Case.objects.filter(pk=case.pk).update(named_ids=[lee.pk])
    answer = browser_of(adam).post(f"/privacy/sensitive/{case.pk}/name/", {"agent": sam.pk, "why": "curious"})
    assert answer.status_code == 404
    assert fresh(case).named_ids == [lee.pk]


def test_who_is_not_active_is_not_named(case: Any, ana: Any, adam: Any, browser_of: Any) -> None:
    answer = browser_of(adam).post(f"/privacy/sensitive/{case.pk}/name/", {"agent": ana.pk, "why": "x"})
    assert answer.status_code == 422
