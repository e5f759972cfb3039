"""Every address × everybody. A new route that is not in the table fails here."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from inbox.models import Attachment, Case, Entry, Proposal
from tests import make

pytestmark = pytest.mark.django_db

OPEN = {  # no sign-in by design
    "hooks/<str:token>/",
    "hooks/<str:token>/deauthorised/",
    "hooks/<str:token>/deletion/",
    "deletions/<str:code>/",
    "healthz",
    "sign-in/",
    "files/<str:token>/",
    "media/<str:token>/",
    "go-on/<str:code>/",
    "go-on/<str:code>/code.svg",
    "api/customers/<str:external_id>/",
    "api/customers/<str:external_id>/orders/",
    "api/customers/<str:external_id>/events/",
}
LISTS = {  # anybody who signed in; what they show is filtered by visible_to
    "",
    "inbox/views/",
    "inbox/unassigned/take/",
    "inbox/<slug:slug>/",
    "inbox/<slug:slug>/list/",
    "inbox/<slug:slug>/rows/",
    "inbox/<slug:slug>/changes/",
    "inbox/filed/",
    "search/",
    "alerts/",
    "alerts/count/",
    "customers/review/count/",
    "alerts/seen/",
    "customers/",
    "customers/review/",
    "start/",
    "sign-out/",
    "me/password/",
    "me/presence/",
    "me/looks/",
    "me/alerts/",
}
SUPERVISORS = {
    "board/",
    "board/figures/",
    "board/cases/<slug:name>/",
    "board/agents/<int:pk>/give-to-team/",
    "agents/",
    "agents/<int:pk>/rights/",
    "privacy/",
    "privacy/audit/",
    "privacy/keeping/",
    "privacy/keeping/add/",
    "privacy/keeping/<int:pk>/drop/",
    "privacy/sensitive/",
    "privacy/sensitive/<int:pk>/join/",
    "privacy/sensitive/<int:pk>/name/",
    "privacy/requests/<int:pk>/prove/",
    "privacy/requests/<int:pk>/close/",
    "privacy/requests/<int:pk>/export/",
    "customers/<int:pk>/privacy/",
    "customers/<int:pk>/privacy/ask/",
    "customers/<int:pk>/privacy/consents/",
    "customers/<int:pk>/privacy/erase/",
    "customers/<int:pk>/privacy/addresses/<int:identity_pk>/erase/",
    "entries/<int:pk>/erase/",
    "customers/import/",
    "customers/import/<int:pk>/",
    "customers/import/<int:pk>/again/",
    "quarantine/",
    "quarantine/replay/",
    "quarantine/discard/",
    "quarantine/<int:pk>/",
    "quarantine/<int:pk>/raw/",
    "quarantine/<int:pk>/replay/",
    "quarantine/<int:pk>/discard/",
    "health/",
    "health/<int:pk>/pause/",
    "health/<int:pk>/resume/",
    "connections/new/",
    "connections/new/<slug:kind>/",
    "connections/signed-in/",
    "connections/<int:pk>/",
    "connections/<int:pk>/step/<slug:name>/",
    "connections/<int:pk>/test/",
    "connections/<int:pk>/findings/",
    "connections/<int:pk>/finish/",
    "connections/<int:pk>/forget/",
    "connections/<int:pk>/sign-in/",
    "connections/<int:pk>/account/",
}
SOMEBODYS = {  # about one thing: 404 for whoever may not see it
    "alerts/<int:pk>/seen/",
    "filed/<int:pk>/person/",
    "identities/<int:pk>/block/",
    "identities/<int:pk>/unblock/",
    "customers/<int:pk>/",
    "customers/<int:pk>/name/",
    "customers/<int:pk>/about/",
    "customers/<int:pk>/attributes/",
    "customers/<int:pk>/attributes/<int:attribute_pk>/remove/",
    "customers/<int:pk>/notes/",
    "customers/<int:pk>/notes/<int:note_pk>/take-down/",
    "customers/<int:pk>/related/",
    "customers/<int:pk>/related/<int:other_pk>/",
    "customers/<int:pk>/related/<int:relationship_pk>/remove/",
    "identities/<int:pk>/wrong/",
    "identities/<int:pk>/shared/",
    "identities/<int:pk>/take-back/",
    "identities/<int:pk>/prove/",
    "entries/<int:pk>/writer/",
    "customers/<int:pk>/same/",
    "customers/<int:pk>/same/<int:other_pk>/",
    "customers/<int:pk>/same/<int:other_pk>/join/",
    "joins/<int:pk>/undo/",
    "proposals/<int:pk>/accept/",
    "proposals/<int:pk>/differ/",
    "proposals/<int:pk>/ask/",
    "inbox/<slug:slug>/c/<int:pk>/",
    "cases/<int:pk>/timeline/",
    "cases/<int:pk>/entries/<int:entry_pk>/",
    "cases/<int:pk>/changes/",
    "cases/<int:pk>/take/",
    "cases/<int:pk>/assign/",
    "cases/<int:pk>/sensitive/",
    "cases/<int:pk>/resolve/",
    "cases/<int:pk>/reopen/",
    "cases/<int:pk>/snooze/",
    "cases/<int:pk>/wake/",
    "cases/<int:pk>/no-reply-needed/",
    "cases/<int:pk>/card/seen/",
    "cases/<int:pk>/split/",
    "cases/<int:pk>/move/",
    "cases/<int:pk>/one-matter/<int:other_pk>/",
    "cases/<int:pk>/somebody-else/",
    "cases/<int:pk>/somebody-else/wrote/",
    "regroupings/<int:pk>/undo/",
    "cases/<int:pk>/facts/",
    "cases/<int:pk>/facts/<int:fact_pk>/unpin/",
    "cases/<int:pk>/composer/",
    "cases/<int:pk>/invite/",
    "cases/<int:pk>/invite/code/",
    "cases/<int:pk>/invite/ask/",
    "cases/<int:pk>/reply/",
    "cases/<int:pk>/note/",
    "cases/<int:pk>/draft/",
    "cases/<int:pk>/draft/files/",
    "cases/<int:pk>/draft/files/<int:file_pk>/drop/",
    "entries/<int:pk>/body/",
    "entries/<int:pk>/original/",
    "entries/<int:pk>/undo/",
    "entries/<int:pk>/again/",
    "attachments/<uuid:uuid>/",
    "attachments/<uuid:uuid>/again/",
}


def routes() -> set[str]:
    found = set()
    for outer in get_resolver().url_patterns:
        for inner in getattr(outer, "url_patterns", [outer]):
            found.add(str(inner.pattern))
    return found


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """A case of Support that has one of everything, which Lee of Billing may not see. Every test begins with it: what
    one does is undone before the next."""
    with django_db_blocker.unblock(), transaction.atomic():
        support = make.team("Support")
        maya = make.customer("Maya Ortiz", email="maya@ortiz.test", phone="+14155552671")
        entry = make.says(
            maya, make.mailbox("support@northwind.test", support), "Order #48213: the secret word is xyzzy"
        )
        make.says(maya, make.number(support), "hi?")
        yield {
            "case": entry.case,
            "entry": Entry.objects.get(pk=entry.pk),
            "alert": entry.case.alerts.get(),
            "fact": entry.case.facts.get(),
            "file": Attachment.objects.create(entry=entry, name="photo.jpg", key="nowhere"),
            "customer": maya,
            "identity": entry.identity,
            "proposal": Proposal.objects.create(one=maya, other=make.customer("Bob Stone"), strength="weak"),
        }
        transaction.set_rollback(True)


@pytest.fixture
def world(built: dict[str, Any], ana: Any, lee: Any) -> dict[str, Any]:
    return {name: deepcopy(each) for name, each in built.items()}


def address(route: str, world: dict[str, Any]) -> str:
    thing = {
        "cases": "case",
        "inbox": "case",
        "entries": "entry",
        "filed": "entry",
        "alerts": "alert",
        "customers": "customer",
        "identities": "identity",
        "proposals": "proposal",
    }.get(route.split("/")[0], "")
    values = {
        "<int:pk>": world[thing].pk if thing else 1,
        "<slug:slug>": "open",
        "<slug:kind>": "sms",
        "<slug:name>": "open",
        "<int:entry_pk>": world["entry"].pk,
        "<int:fact_pk>": world["fact"].pk,
        "<int:file_pk>": world["file"].pk,
        "<int:other_pk>": world["customer"].pk,
        "<int:identity_pk>": world["identity"].pk,
        "<int:attribute_pk>": 1,
        "<int:note_pk>": 1,
        "<int:relationship_pk>": 1,
        "<uuid:uuid>": world["file"].uuid,
        "<str:token>": "no-such-token",
    }
    for name, value in values.items():
        route = route.replace(name, str(value))
    return f"/{route}"


def both(client: Client, path: str) -> list[Any]:
    """GET and POST; one of them usually is not allowed at all."""
    return [client.get(path), client.post(path)]


def test_every_route_is_in_the_table() -> None:
    assert routes() == OPEN | LISTS | SUPERVISORS | SOMEBODYS


@pytest.mark.parametrize("route", sorted(LISTS | SUPERVISORS | SOMEBODYS))
def test_strangers_are_sent_to_the_sign_in_page(route: str, world: dict[str, Any]) -> None:
    for answer in both(Client(), address(route, world)):
        assert answer.status_code in (302, 401, 405), route
        if answer.status_code == 302:
            assert answer["Location"].startswith("/sign-in/")
        assert b"xyzzy" not in answer.content


@pytest.mark.parametrize("route", sorted(SOMEBODYS))
def test_an_agent_of_another_team_finds_nothing_and_changes_nothing(
    route: str, world: dict[str, Any], browser_of: Any, lee: Any
) -> None:
    before = Case.objects.get(pk=world["case"].pk).version
    for answer in both(browser_of(lee), address(route, world)):
        assert answer.status_code in (404, 405), route
        assert b"xyzzy" not in answer.content
    world["case"].refresh_from_db()
    assert world["case"].version == before
    assert world["case"].assignee is None
    assert world["case"].is_live


@pytest.mark.parametrize("route", sorted(LISTS - {"sign-out/"}))
def test_no_list_shows_another_teams_case(route: str, world: dict[str, Any], browser_of: Any, lee: Any) -> None:
    for answer in both(browser_of(lee), f"{address(route, world)}?q=xyzzy"):
        assert answer.status_code < 500, route
        assert b"the secret word" not in answer.content
        assert b"Maya Ortiz" not in answer.content


@pytest.mark.parametrize("route", sorted(SUPERVISORS))
def test_supervisors_pages_are_closed_to_agents(route: str, world: dict[str, Any], browser_of: Any, ana: Any) -> None:
    for answer in both(browser_of(ana), address(route, world)):
        assert answer.status_code in (403, 404, 405), route


def test_an_agent_who_left_the_team_loses_the_case_at_once(world: dict[str, Any], browser_of: Any, ana: Any) -> None:
    client = browser_of(ana)
    path = f"/inbox/open/c/{world['case'].pk}/"
    assert client.get(path).status_code == 200
    ana.teams.clear()
    assert client.get(path).status_code == 404


def test_a_deactivated_agent_is_out_at_once(world: dict[str, Any], browser_of: Any, ana: Any) -> None:
    client = browser_of(ana)
    ana.is_active = False
    ana.save()
    assert client.get("/inbox/open/").status_code == 302
