"""The agents' socket: who may open it, what it passes on to whom, and what ends it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from config.asgi import application
from inbox.hub import hub
from inbox.models import Case
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True)]
ORIGIN = b"http://testserver"


def socket(client: Client | None, origin: bytes | None = ORIGIN) -> WebsocketCommunicator:
    headers = [(b"origin", origin)] if origin is not None else []
    if client:
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers.append((b"cookie", cookie.encode()))
    return WebsocketCommunicator(application, "/ws/", headers=headers)


@pytest.fixture
async def opened(browser_of: Any) -> AsyncIterator[Any]:
    """`await opened(ana)` is a connected socket that has said hello."""
    sockets: list[WebsocketCommunicator] = []

    async def opening(agent: Any) -> WebsocketCommunicator:
        client = await sync_to_async(browser_of)(agent)
        each = socket(client)
        connected, _ = await each.connect(timeout=15)
        assert connected
        assert (await each.receive_json_from(timeout=15))["kind"] == "hello"
        sockets.append(each)
        return each

    yield opening
    for each in sockets:
        await each.disconnect()
    for task in hub().tasks:
        task.cancel()


def frame(case: Case, *teams: Any) -> dict[str, Any]:
    return {"kind": "case", "case": case.pk, "teams": [team.pk for team in teams], "row": "<li></li>"}


async def said_by(maya: Any, connector: Any) -> Case:
    entry = await sync_to_async(make.says)(maya, connector, "hello")
    return entry.case


@pytest.mark.parametrize(
    "origin", [None, b"null", b"http://evil.test", b"http://testserver.evil.test", b"https://testserver", b""]
)
async def test_a_foreign_origin_is_refused(ana: Any, browser_of: Any, origin: bytes | None) -> None:
    client = await sync_to_async(browser_of)(ana)
    connected, _ = await socket(client, origin).connect(timeout=15)
    assert not connected


async def test_nobody_gets_in_without_signing_in(db: None) -> None:
    connected, _ = await socket(None).connect(timeout=15)
    assert not connected


async def test_a_frame_reaches_the_team_and_supervisors_and_nobody_else(
    opened: Any, ana: Any, lee: Any, sue: Any, support: Any, maya: Any, mailbox: Any
) -> None:
    anas, lees, sues = await opened(ana), await opened(lee), await opened(sue)
    case = await said_by(maya, mailbox)
    await hub().fan_out(frame(case, support))
    assert (await anas.receive_json_from(timeout=15))["case"] == case.pk
    assert (await sues.receive_json_from(timeout=15))["case"] == case.pk
    assert await lees.receive_nothing()


async def test_looking_at_a_foreign_case_tells_nothing(opened: Any, lee: Any, maya: Any, mailbox: Any) -> None:
    lees = await opened(lee)
    case = await said_by(maya, mailbox)
    await lees.send_json_to({"look": case.pk})
    assert await lees.receive_nothing()
    await hub().fan_out(
        {
            "kind": "presence",
            "case": case.pk,
            "agent": {"id": 1, "name": "A", "initials": "A"},
            "doing": "viewing",
            "channel": "",
        }
    )
    assert await lees.receive_nothing()


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        '{"type": "__class__"}',
        '{"look": "%"}',
        '{"look": 1, "watch": "board"}',
        json.dumps({"typing": "x" * 10_000}),
        "[" * 3000,
    ],
)
async def test_garbage_ends_the_socket_and_the_process_lives(opened: Any, ana: Any, sam: Any, text: str) -> None:
    bad, good = await opened(ana), await opened(sam)
    await bad.send_to(text_data=text)
    assert (await bad.receive_output(timeout=15))["type"] == "websocket.close"
    await hub().fan_out({"kind": "case", "case": 1, "teams": list((await _socket_of(sam)).teams), "row": ""})
    assert (await good.receive_json_from(timeout=15))["case"] == 1


async def _socket_of(agent: Any) -> Any:
    return next(each for each in hub().sockets if each.agent_id == agent.pk)


async def test_an_agent_may_not_watch_the_board(opened: Any, ana: Any) -> None:
    anas = await opened(ana)
    await anas.send_json_to({"watch": "board"})
    assert (await anas.receive_output(timeout=15))["type"] == "websocket.close"


async def test_a_deactivated_agents_socket_ends(opened: Any, ana: Any) -> None:
    anas = await opened(ana)
    ana.is_active = False
    await sync_to_async(ana.save)()
    await hub()._check_now(None)
    assert (await anas.receive_output(timeout=15))["code"] == 4401


async def test_signing_out_or_a_new_password_ends_the_socket(opened: Any, ana: Any) -> None:
    anas = await opened(ana)
    ana.set_password("another-long-password")
    await sync_to_async(ana.save)()
    await hub()._check_now(None)
    assert (await anas.receive_output(timeout=15))["code"] == 4401


async def test_leaving_a_team_stops_its_frames(opened: Any, ana: Any, support: Any, maya: Any, mailbox: Any) -> None:
    anas = await opened(ana)
    case = await said_by(maya, mailbox)
    await sync_to_async(ana.teams.clear)()
    await hub()._check_now(None)
    await hub().fan_out(frame(case, support))
    assert await anas.receive_nothing()
