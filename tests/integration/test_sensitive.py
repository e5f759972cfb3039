"""A case about a minor, about health, about law: only those who are named see it, wherever cases are seen."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from inbox import outbox, privacy
from inbox.hub import Hub
from inbox.models import Act, Agent, Alert, Audit, Case, Entry
from inbox.views.inbox import VIEWS, count
from tests import make

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)

SECRET = "diagnosis"


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def case(maya: Any, mailbox: Any, ana: Any) -> Any:
    """Ana's, about Maya's health; Sam is in her team and not named."""
    found = make.says(maya, mailbox, f"My {SECRET} came", subject=f"About my {SECRET}").case
    privacy.hide(found, "health", [ana.pk], by=ana)
    return fresh(found)


def pages(case: Case, entry: Entry) -> list[str]:
    return [
        "/inbox/open/",
        "/inbox/unassigned/list/",
        "/inbox/open/changes/",
        "/search/?q=my",
        f"/search/?q=%23{case.pk}",
        "/alerts/",
        f"/customers/{case.customer_id}/",
        f"/inbox/open/c/{case.pk}/",
        f"/cases/{case.pk}/changes/",
        f"/cases/{case.pk}/entries/{entry.pk}/",
        f"/entries/{entry.pk}/body/",
        f"/entries/{entry.pk}/original/",
    ]


@pytest.mark.parametrize("who", ["sam", "sue", "adam"])
def test_nobody_who_is_not_named_sees_a_word_of_it(case: Any, who: str, request: Any, browser_of: Any) -> None:
    client = browser_of(request.getfixturevalue(who))
    for path in pages(case, case.entries.earliest("pk")):
        answer = client.get(path)
        assert answer.status_code in (200, 205, 404), path
        assert SECRET not in answer.content.decode(), path
    assert client.get(f"/inbox/open/c/{case.pk}/").status_code == 404
    assert client.post(f"/cases/{case.pk}/take/").status_code == 404


def test_who_is_named_works_on_it_also_from_another_team(case: Any, browser_of: Any, lee: Any, ana: Any) -> None:
    privacy.hide(case, "health", [ana.pk, lee.pk], by=ana)
    client = browser_of(lee)
    assert SECRET in client.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert client.post(f"/cases/{case.pk}/take/").status_code == 200
    assert fresh(case).assignee == lee


def test_rows_show_neither_subject_nor_words_to_those_who_are_named(case: Any, browser_of: Any, ana: Any) -> None:
    page = browser_of(ana).get("/inbox/open/").content.decode()
    assert "Sensitive: health" in page
    assert SECRET not in page


def test_no_new_message_puts_words_into_the_row(case: Any, maya: Any, number: Any, browser_of: Any, ana: Any) -> None:
    make.says(maya, number, f"Again: {SECRET}")
    assert fresh(case).preview == ""
    assert SECRET not in browser_of(ana).get("/inbox/open/").content.decode()


def test_a_move_in_it_alerts_only_those_who_are_named(
    case: Any, maya: Any, number: Any, ana: Any, sam: Any, sue: Any
) -> None:
    make.says(maya, number, "hello?")
    assert Alert.objects.filter(case=case).exists()
    assert Alert.objects.unseen_by(ana).exists()
    assert not Alert.objects.unseen_by(sam).exists()
    assert not Alert.objects.unseen_by(sue).exists()
    assert Alert.objects.get().audience() == [ana.pk]


def socket(agent: Any, *teams: int, is_supervisor: bool = False) -> Any:
    return SimpleNamespace(looking_at=None, agent_id=agent.pk, teams=frozenset(teams), is_supervisor=is_supervisor)


@committed
def test_sockets_of_others_hear_once_that_it_is_gone_and_nothing_after(
    maya: Any, mailbox: Any, support: Any, ana: Any, sam: Any, sue: Any, heard: list[Any]
) -> None:
    case = make.says(maya, mailbox, SECRET, subject=SECRET).case
    heard.clear()
    privacy.hide(case, "health", [ana.pk], by=ana)
    make.says(maya, mailbox, SECRET)
    hub, told = Hub(), {}
    hub.board_changed = SimpleNamespace(set=lambda: None)  # type: ignore[assignment]
    sockets = {"ana": socket(ana, support.pk), "sam": socket(sam, support.pk), "sue": socket(sue, is_supervisor=True)}
    hub.sockets = set()
    for name, each in sockets.items():
        hub.sockets = [each]  # type: ignore[assignment]
        told[name] = [frame for frame in heard if each in hub._hearers(dict(frame))[1]]
    assert [len(told[name]) for name in ("sam", "sue")] == [1, 1]
    assert len(told["ana"]) >= 2
    assert SECRET not in json.dumps([*told["sam"], *told["sue"]])
    assert "Maya" not in json.dumps([*told["sam"], *told["sue"]])


def test_counts_leave_it_out_for_others_and_count_it_for_the_named(case: Any, ana: Any, sam: Any, sue: Any) -> None:
    for agent in (ana, sam, sue):
        agent.know_teams()
    assert [count(VIEWS["open"], agent) for agent in (ana, sam, sue)] == ["1", "0", "0"]
    assert not sam.is_named


def test_the_board_shows_nothing_of_it(case: Any, browser_of: Any, sue: Any) -> None:
    client = browser_of(sue)
    for path in ("/board/", "/board/figures/", "/board/cases/open/", "/board/cases/volume/", "/board/?wall=1"):
        answer = client.get(path)
        assert answer.status_code == 200 or "volume" in path
        assert SECRET not in answer.content.decode()
        assert "Maya" not in answer.content.decode()


def test_it_can_be_given_only_to_those_who_are_named(case: Any, browser_of: Any, ana: Any, sam: Any) -> None:
    client = browser_of(ana)
    assert "Sam" not in client.get(f"/cases/{case.pk}/assign/").content.decode()
    assert client.post(f"/cases/{case.pk}/assign/", {"agent": sam.pk}).status_code == 422


def test_whoever_had_it_and_is_not_named_has_it_no_more(maya: Any, mailbox: Any, ana: Any, sam: Any) -> None:
    case = make.says(maya, mailbox, "Hello").case
    case.assign(sam, by=sam)
    privacy.hide(case, "minor", [ana.pk], by=ana)
    assert fresh(case).assignee is None


def test_an_agent_hides_a_case_in_the_browser(maya: Any, mailbox: Any, browser_of: Any, ana: Any, lee: Any) -> None:
    case = make.says(maya, mailbox, SECRET).case
    client = browser_of(ana)
    assert "A minor" in client.get(f"/cases/{case.pk}/sensitive/").content.decode()
    assert client.post(f"/cases/{case.pk}/sensitive/", {"why": "nonsense"}).status_code == 422
    assert client.post(f"/cases/{case.pk}/sensitive/", {"why": "legal", "named": [lee.pk]}).status_code == 200
    assert (fresh(case).sensitive, fresh(case).named_ids) == ("legal", sorted([ana.pk, lee.pk]))
    assert Audit.objects.get(act=Act.SENSITIVE).found == {"named": 2}
    client.post(f"/cases/{case.pk}/sensitive/", {"why": ""})
    assert (fresh(case).sensitive, fresh(case).named_ids, fresh(case).preview) == ("", None, SECRET)


def test_an_admin_names_themselves_with_a_reason_that_is_kept(case: Any, browser_of: Any, adam: Any, sue: Any) -> None:
    client = browser_of(adam)
    page = client.get("/privacy/sensitive/").content.decode()
    assert f"#{case.pk}" in page
    assert SECRET not in page
    assert "Maya" not in page
    assert client.post(f"/privacy/sensitive/{case.pk}/join/").status_code == 422
    assert browser_of(sue).post(f"/privacy/sensitive/{case.pk}/join/", {"why": "curious"}).status_code == 403
    assert client.post(f"/privacy/sensitive/{case.pk}/join/", {"why": "A complaint"}).status_code == 302
    assert client.get(f"/inbox/open/c/{case.pk}/").status_code == 200
    assert Audit.objects.latest("pk").why == "named themselves: A complaint"


def test_what_was_joined_with_it_is_hidden_too(case: Any, browser_of: Any, ana: Any, sam: Any, number: Any) -> None:
    bob = make.customer("Bob Stone", phone="+14155550188")
    said = make.says(bob, number, f"My {SECRET} as well")
    client_of_sam = browser_of(sam)
    assert client_of_sam.get(f"/inbox/open/c/{said.case_id}/").status_code == 200
    ana.refresh_from_db()
    browser_of(ana).post(f"/customers/{case.customer_id}/same/{bob.pk}/join/", {"reason": "she said so"})
    assert fresh(said.case).merged_into == case
    for path in pages(case, said):
        assert SECRET not in client_of_sam.get(path).content.decode(), path
    assert outbox.options(fresh(case))


def test_admins_see_first_which_one_waits_and_that_nobody_is_left_to_answer(
    case: Any, mailbox: Any, ana: Any, adam: Any, browser_of: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    calm = make.says(bob, mailbox, "Another").case
    privacy.hide(calm, "legal", [adam.pk], by=adam)
    fresh(calm).resolve(by=adam)
    Agent.objects.filter(pk=ana.pk).update(is_active=False)
    html = browser_of(adam).get("/privacy/sensitive/").content.decode()
    assert html.index(f"#{case.pk}<") < html.index("waiting") < html.index(f"#{calm.pk}<")
    assert html.count("nobody sees it") == 1
