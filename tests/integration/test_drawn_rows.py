"""A row that was drawn before is drawn anew as soon as anything that it shows is different."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from customers.models import Customer
from inbox.locking import locked
from inbox.models import Agent, Attachment, Case, Delivery, Draft, Entry
from inbox.templatetags import drawn
from inbox.views.inbox import PAGE
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(maya: Any, mailbox: Any, number: Any) -> Case:
    make.says(maya, mailbox, "The blue one")
    make.says(maya, number, "Did you get my mail?")
    return Case.objects.get(customer=maya, is_live=True)


def _assigned(case: Case, agent: Agent) -> None:
    with locked(case) as fresh:
        fresh.assign(agent, by=agent)


CHANGES: list[tuple[str, Callable[[Case, Agent, Any], object], str]] = [
    ("new words", lambda case, _, mailbox: make.says(case.customer, mailbox, "And a red one"), "And a red one"),
    ("a new owner", lambda case, agent, _: _assigned(case, agent), 'title="Sam Keller"'),
    ("another name", lambda case, *_: Customer.objects.filter(pk=case.customer_id).update(name="Mia O."), "Mia O."),
    ("unsent text", lambda case, agent, _: Draft.objects.create(case=case, agent=agent, text="Dear M"), "Dear M"),
    ("an answer", lambda case, agent, _: make.answers(agent, case, "It is on its way"), "You:"),
]


@pytest.mark.parametrize(("change", "shown"), [change[1:] for change in CHANGES], ids=[each[0] for each in CHANGES])
def test_a_row_shows(change: Any, shown: str, case: Case, browser_of: Any, sam: Any, mailbox: Any) -> None:
    browser = browser_of(sam)
    before = browser.get("/inbox/open/list/").content.decode()
    assert f'id="row-{case.pk}"' in before
    assert shown not in before
    change(case, sam, mailbox)
    assert shown in browser.get("/inbox/open/changes/?since=" + now().isoformat()).content.decode()


def test_a_row_shows_one_agent_nothing_of_another(case: Case, browser_of: Any, ana: Any, sam: Any) -> None:
    Draft.objects.create(case=case, agent=ana, text="Anas own words")
    browser_of(ana).get(f"/inbox/open/c/{case.pk}/")
    assert "Anas own words" in browser_of(ana).get("/inbox/open/").content.decode()
    others = browser_of(sam).get("/inbox/open/").content.decode()
    assert "Anas own words" not in others
    assert 'class="row unread"' in others


def test_a_row_grows_old(case: Case, browser_of: Any, sam: Any) -> None:
    browser = browser_of(sam)
    assert ">0 m</time>" in browser.get("/inbox/open/list/").content.decode()
    with time_machine.travel(now() + timedelta(hours=3), tick=False):
        assert ">3 h</time>" in browser.get("/inbox/open/list/").content.decode()
    with time_machine.travel(now() + timedelta(days=2), tick=False):  # the bend of a fresh move is gone
        later = browser.get("/inbox/open/list/").content.decode()
    assert ">2 days</time>" in later
    assert later.count('class="knot') == 1


def _reply(case: Case, state: str = "delivered") -> None:
    Delivery.objects.filter(entry__case=case).update(state=state, not_before=now())


def _unsent(case: Case) -> None:
    Entry.objects.filter(case=case, kind="message").update(unsent_at=now())


MORE: list[tuple[str, Callable[[Case], object], str]] = [
    ("that it was delivered", lambda case: _reply(case), 'data-sending="delivered"'),
    ("that it failed", lambda case: _reply(case, "failed"), "Not delivered."),
    ("what was deleted", _unsent, "deleted this message."),
    ("a reaction", lambda case: Entry.objects.filter(case=case, kind="reply").update(reactions={"1": "💙"}), "💙"),
    ("a new name", lambda case: Customer.objects.filter(pk=case.customer_id).update(name="Mia"), "<b>Mia</b>"),
    ("a file", lambda case: Attachment.objects.create(entry=case.entries.first(), name="leg.jpg"), "leg.jpg"),
]


@pytest.mark.parametrize(("change", "shown"), [change[1:] for change in MORE], ids=[each[0] for each in MORE])
def test_a_timeline_shows(change: Any, shown: str, case: Case, browser_of: Any, sam: Any) -> None:
    make.answers(sam, case, "It is on its way")
    _reply(case, "sent")
    browser = browser_of(sam)
    assert shown not in browser.get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true").content.decode()
    change(case)
    assert shown in browser.get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true").content.decode()


def test_a_timeline_names_others_and_calls_oneself_you(case: Case, browser_of: Any, ana: Any, sam: Any) -> None:
    make.answers(sam, case, "It is on its way")
    _reply(case)
    shown = [browser_of(each).get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true") for each in (sam, ana, sam)]
    own, others, again = [each.content.decode().split('class="t-row reply"')[1] for each in shown]
    assert "<b>You</b>" in own
    assert "<b>Sam K.</b>" in others
    assert "<b>You</b>" in again


def test_a_form_in_a_timeline_has_the_token_of_whoever_looks(
    case: Case, browser_of: Any, ana: Any, sam: Any, mailbox: Any
) -> None:
    make.says(case.customer, mailbox, "I am away", classification="automatic")
    for each in (ana, sam):
        shown = browser_of(each).get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true").content.decode()
        assert 'name="csrfmiddlewaretoken"' in shown.split('data-kind="filed"')[1]


def test_a_list_costs_as_many_statements_as_one_row(
    browser_of: Any, ana: Any, mailbox: Any, django_assert_max_num_queries: Any
) -> None:
    browser = browser_of(ana)
    browser.get("/inbox/open/?sort=newest")  # the order is remembered
    statements = 9  # the session, the agent, their teams, rows, what is their own, alerts; three counts, once a second
    for people in (range(1), range(1, PAGE + 5)):
        for each in people:
            make.says(make.customer(f"Person {each}", email=f"p{each}@people.test"), mailbox, f"Hello {each}")
        with django_assert_max_num_queries(statements):
            browser.get("/inbox/open/?sort=newest")


def test_what_was_drawn_is_forgotten_before_it_fills_the_memory(
    case: Case, browser_of: Any, sam: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(drawn, "MOST", 3)
    for turn in range(5):
        Draft.objects.update_or_create(case=case, agent=sam, defaults={"text": f"Draft {turn}"})
        assert f"Draft {turn}" in browser_of(sam).get("/inbox/open/list/").content.decode()
        assert len(drawn._drawn) <= 3


def test_long_words_are_not_kept_in_memory(case: Case, browser_of: Any, sam: Any, mailbox: Any) -> None:
    drawn._drawn.clear()
    for words in ("word " * 5_000, "other " * 5_000):
        make.says(case.customer, mailbox, words)
        shown = browser_of(sam).get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true").content.decode()
        assert words[:10_000] in shown
    assert drawn._drawn
    assert not any(len(part) > 200 for key in drawn._drawn for part in _words_in(key))
    assert not any(len(piece) > drawn.LONGEST for piece in drawn._drawn.values())


def _words_in(key: Any) -> list[str]:
    if isinstance(key, tuple):
        return [words for part in key for words in _words_in(part)]
    return [key] if isinstance(key, str) else []


def test_a_case_of_many_people_and_files_costs_no_more_statements_than_one_of_few(
    case: Case, browser_of: Any, sam: Any, number: Any, mailbox: Any, django_assert_max_num_queries: Any
) -> None:
    make.answers(sam, case, "It is on its way")
    for turn in range(PAGE):
        Attachment.objects.create(entry=make.says(case.customer, mailbox, f"Line {turn}"), name=f"{turn}.jpg")
    browser = browser_of(sam)
    browser.get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true")
    with django_assert_max_num_queries(48):
        shown = browser.get(f"/inbox/open/c/{case.pk}/", HTTP_HX_REQUEST="true").content.decode()
    assert shown.count('class="file"') == PAGE
