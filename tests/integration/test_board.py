"""The supervisor's board: who may see it, that it tells the truth, and that every figure opens what it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.models import Connector, Receipt
from inbox.locking import locked
from inbox.metrics import METRICS, Scope
from inbox.models import Agent, Alert, Case, Delivery
from inbox.views.connections import connections
from inbox.views.snapshot import kept
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_board() -> Iterator[None]:
    kept.forget()
    yield
    kept.forget()


@pytest.fixture
def story(ana: Any, sam: Any, maya: Any, mailbox: Any, number: Any, account: Any) -> Case:
    """Maya wrote a mail, then a text; Sam has the case, and one reply of Ana's to somebody else did not arrive."""
    case = make.says(maya, mailbox, "My order is broken").case
    make.says(maya, number, "hello? did you get my mail?")
    other = make.says(make.customer("Jon Bell", email="jon@bell.test"), mailbox, "Where is it?").case
    assert case is not None
    assert other is not None
    failed = make.answers(ana, other, "On its way.")
    Delivery.objects.filter(entry=failed).update(state="failed", reason="The mailbox does not exist.")
    with locked(case) as current:
        current.assign(sam, by=sam)
    return Case.objects.get(pk=case.pk)


def figures(html: str) -> dict[str, str]:
    """What the page shows, by the name of each figure."""
    found = re.findall(r'<(\w+)[^>]*data-figure="([^"]+)"[^>]*>(.*?)</\1>', html, re.S)
    return {name: " ".join(re.sub(r"<[^>]+>", "", text).split()) for _, name, text in found}


def links(html: str) -> set[str]:
    return {unescape(each) for each in re.findall(r'href="(/board/cases/[^"]*)"', html)}


def listed(html: str) -> list[int]:
    return [int(each) for each in re.findall(r'id="row-(\d+)"', html)]


def test_an_agent_is_told_that_the_board_is_for_supervisors(ana: Any, browser_of: Any) -> None:
    for address in ("/board/", "/board/figures/", "/board/cases/open/"):
        answer = browser_of(ana).get(address)
        assert answer.status_code == 403
        assert "This page is for supervisors." in answer.content.decode()


def test_a_stranger_is_asked_to_sign_in(client: Any, db: None) -> None:
    assert client.get("/board/")["Location"] == "/sign-in/?next=/board/"


def test_supervisors_and_admins_see_the_figures_of_now(story: Case, sue: Any, adam: Any, browser_of: Any) -> None:
    for agent in (sue, adam):
        html = browser_of(agent).get("/board/").content.decode()
        found = figures(html)
        assert found["waiting"] == "1"
        assert (found["moved"], found["moved-unanswered"]) == ("1", "1 left something unanswered")
        assert found["not-delivered"] == "1"
        assert (found["waiting-email"], found["waiting-sms"], found["waiting-instagram"]) == ("1", "1", "0")
        assert "Maya Ortiz" in html
        assert "email, now SMS" in html
        assert "The mailbox does not exist." in html


def test_the_empty_board_says_so_in_words(sue: Any, browser_of: Any) -> None:
    html = browser_of(sue).get("/board/").content.decode()
    assert "Nobody waits for us." in html
    assert "Nobody changed channel in the last hour." in html
    assert "Nothing is connected yet." in html


def test_every_figure_opens_exactly_the_cases_it_counts(story: Case, sue: Any, browser_of: Any) -> None:
    browser = browser_of(sue)
    html = browser.get("/board/").content.decode()
    assert len(links(html)) > 12
    for address in links(html):
        page = browser.get(address)
        assert page.status_code == 200, address
        shown = page.content.decode()
        counted = int(figures(shown)["counted"])
        linked = re.search(rf'href="{re.escape(address).replace("&", "&amp;")}"[^>]*>([\d,]+)', html)
        if linked:
            assert int(linked.group(1)) == counted, address
        lines = shown.count("data-counted=")
        assert (lines or len(listed(shown))) == counted, address


def test_a_case_that_moved_twice_is_listed_once_with_both_moves(
    story: Case, maya: Any, account: Any, sue: Any, browser_of: Any
) -> None:
    make.says(maya, account, "anybody there on this one?")
    shown = browser_of(sue).get("/board/cases/moved/").content.decode()
    assert listed(shown) == [story.pk]
    assert f'href="/inbox/open/c/{story.pk}/"' in shown
    assert shown.count('data-counted="move"') == 2


def test_the_team_filter_narrows_the_board_and_its_links(story: Case, billing: Any, sue: Any, browser_of: Any) -> None:
    html = browser_of(sue).get(f"/board/?team={billing.pk}").content.decode()
    assert figures(html)["waiting"] == "0"
    assert all(f"team={billing.pk}" in each for each in links(html))


def test_the_board_follows_the_next_event_without_waiting_for_its_cache(
    story: Case, sue: Any, mailbox: Any, browser_of: Any
) -> None:
    browser = browser_of(sue)
    assert figures(browser.get("/board/figures/").content.decode())["waiting"] == "1"
    make.says(make.customer("Kim Novak", email="kim@novak.test"), mailbox, "Hello")
    assert figures(browser.get("/board/figures/").content.decode())["waiting"] == "2"


def test_two_looks_within_a_second_share_one_reading(
    story: Case, sue: Any, browser_of: Any, django_assert_max_num_queries: Any
) -> None:
    browser = browser_of(sue)
    with django_assert_max_num_queries(24):
        browser.get("/board/figures/")
    with django_assert_max_num_queries(5):
        browser.get("/board/figures/")


def test_giving_to_the_team_returns_what_customers_wait_for_and_nothing_else(
    story: Case, sam: Any, sue: Any, mailbox: Any, browser_of: Any
) -> None:
    calm = make.says(make.customer("Kim Novak", email="kim@novak.test"), mailbox, "Hello").case
    assert calm is not None
    make.answers(sam, calm, "Hello Kim.")
    browser_of(sue).post(f"/board/agents/{sam.pk}/give-to-team/")
    story.refresh_from_db()
    calm.refresh_from_db()
    assert (story.assignee, calm.assignee) == (None, sam)
    assert story.entries.filter(event="assigned", agent=sue).exists()


def test_only_a_supervisor_gives_to_the_team_and_only_by_post(
    story: Case, ana: Any, sam: Any, sue: Any, browser_of: Any
) -> None:
    address = f"/board/agents/{sam.pk}/give-to-team/"
    assert browser_of(ana).post(address).status_code == 403
    assert browser_of(sue).get(address).status_code == 405
    assert Case.objects.get(pk=story.pk).assignee == sam


def test_an_agent_who_is_off_comes_first_in_amber(story: Case, sam: Any, sue: Any, browser_of: Any) -> None:
    Agent.objects.filter(pk=sam.pk).update(presence="off", off_until=now() + timedelta(days=2))
    html = browser_of(sue).get("/board/").content.decode()
    agents = html[html.index("board-agents-title") :]
    assert agents.index("Sam K.") < agents.index("Ana D.")
    assert re.search(r'class="state amber">Off until', agents)


def test_moves_nobody_has_seen_are_named_until_somebody_looks(story: Case, sam: Any, sue: Any, browser_of: Any) -> None:
    assert figures(browser_of(sue).get("/board/").content.decode())["unseen"] == "1"
    Alert.objects.get().see(sam)
    kept.forget()
    assert "Nobody has moved without somebody noticing." in browser_of(sue).get("/board/").content.decode()


def test_connections_are_told_in_words(mailbox: Any, number: Any, account: Any) -> None:
    Connector.objects.filter(pk=mailbox.pk).update(last_success_at=now() - timedelta(seconds=4))
    Connector.objects.filter(pk=number.pk).update(last_received_at=now() - timedelta(minutes=3))
    expires = now() + timedelta(days=6, minutes=1)
    Connector.objects.filter(pk=account.pk).update(options={"access_token_expires_at": expires.isoformat()})
    said = {each.connector.kind: (each.words, each.is_bad) for each in connections()}
    assert said["email"] == ("4 s behind", False)
    assert said["sms"] == ("last heard 3 m ago", False)
    assert said["instagram"] == ("sign-in ends in 6 days", True)
    Connector.objects.filter(pk=mailbox.pk).update(needs_reconnect=True, failure="The server refused the password.")
    Connector.objects.filter(pk=number.pk).update(is_active=False)
    said = {each.connector.kind: (each.words, each.is_bad) for each in connections()}
    told = "connect it again: The server refused the password. Until then nothing is received or sent."
    assert said["email"] == (told, True)
    assert said["sms"] == ("paused", True)


def test_a_receipt_nobody_takes_in_shows_on_its_connection(number: Any) -> None:
    Receipt.store(number, b"From=%2B1", headers={}, at=now() - timedelta(minutes=4))
    (connection,) = connections()
    assert connection.is_bad
    assert "the oldest message has waited 4 m" in connection.words


def test_the_wall_shows_initials_and_no_names(story: Case, sue: Any, browser_of: Any) -> None:
    for address in ("/board/?wall=1", "/board/figures/?wall=1"):
        html = browser_of(sue).get(address).content.decode()
        assert "M. O." in html
        assert "Maya" not in html
        assert "My order" not in html


def test_what_narrows_a_figure_is_checked(sue: Any, browser_of: Any) -> None:
    browser = browser_of(sue)
    for query in (
        "channel=fax",
        "towards=%00",
        "team=x",
        "team=99999999999999999999",
        "agent=-1",
        "day=2026-02-31",
        "day=0001-01-01",
        "after=x",
        "after=_",
        "after=1e5_1",
    ):
        assert browser.get(f"/board/cases/moved/?{query}").status_code == 404, query
    assert browser.get("/board/cases/waiting/?after=2026-13-01_4").status_code == 404
    assert browser.get("/board/cases/nothing/").status_code == 404


def test_pages_of_cases_follow_each_other_without_gap_or_repetition(
    sue: Any, mailbox: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inbox.views.board.PAGE", 2)
    for place in range(5):
        make.says(make.customer(f"Person {place}", email=f"p{place}@mail.test"), mailbox, "Hello")
    browser = browser_of(sue)
    for name in ("waiting", "open"):
        seen: list[int] = []
        address = f"/board/cases/{name}/"
        while address:
            html = browser.get(address).content.decode()
            seen += listed(html)
            more = re.search(r'href="(\?[^"]*after=[^"]*)"', html)
            address = f"/board/cases/{name}/{unescape(more.group(1))}" if more else ""
        assert len(seen) == len(set(seen)) == 5
    assert set(seen) == set(METRICS["open"].rows(Scope()).values_list("pk", flat=True))


def test_the_page_obeys_its_own_content_policy(story: Case, sue: Any, browser_of: Any) -> None:
    answer = browser_of(sue).get("/board/")
    html = answer.content.decode()
    assert "style=" not in html
    assert "<script>" not in html
    assert not re.search(r"\son\w+=", html)
    assert "script-src 'self'" in answer["Content-Security-Policy"]
