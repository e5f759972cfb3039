"""What a hub passes on, to whom, in which order; without a server, a database or Redis."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asgiref.typing import WebSocketSendEvent

from inbox.hub import Hub

SUPPORT, BILLING = 1, 2


class Ear:
    def __init__(self, agent: int, *teams: int, is_supervisor: bool = False, may_join: bool = False) -> None:
        self.agent_id, self.teams, self.is_supervisor = agent, frozenset(teams), is_supervisor
        self.may_join = may_join
        self.session_key = self.session_hash = ""
        self.looking_at: int | None = None
        self.watches_board = False
        self.heard: list[dict[str, Any]] = []

    async def pass_on(self, message: WebSocketSendEvent) -> None:
        self.heard.append(json.loads(message["text"] or ""))

    async def end(self) -> None: ...

    @property
    def versions(self) -> list[int]:
        return [each["version"] for each in self.heard]


def case(version: int, *teams: int) -> dict[str, Any]:
    return {"kind": "case", "case": 7, "version": version, "teams": list(teams)}


def hub_of(*ears: Ear) -> Hub:
    hub = Hub()
    hub.sockets.update(ears)
    return hub


async def test_frames_that_come_together_reach_everybody_in_order_and_nobody_else() -> None:
    support, billing, both = Ear(1, SUPPORT), Ear(2, BILLING), Ear(3, SUPPORT, BILLING)
    supervisor, nobody = Ear(4, is_supervisor=True), Ear(5)
    await hub_of(support, billing, both, supervisor, nobody).fan_out(
        case(1, SUPPORT), case(2, BILLING), case(3, SUPPORT, BILLING)
    )
    assert (support.versions, billing.versions, nobody.versions) == ([1, 3], [2, 3], [])
    assert both.versions == supervisor.versions == [1, 2, 3]


async def test_an_alert_reaches_those_it_names_and_does_not_say_who_they_are() -> None:
    first, second = Ear(1, SUPPORT), Ear(2, SUPPORT)
    await hub_of(first, second).fan_out({"kind": "alert", "alert": 5, "case": 7, "agents": [2]})
    assert first.heard == []
    assert second.heard == [{"kind": "alert", "alert": 5, "case": 7}]


async def test_those_who_may_join_people_hear_once_that_there_is_more_to_review() -> None:
    joins, other = Ear(1, SUPPORT, may_join=True), Ear(2, SUPPORT)
    hub = hub_of(joins, other)
    await hub.fan_out({"kind": "review"}, {"kind": "review"})
    telling = asyncio.create_task(hub._tell_reviewers())
    while not joins.heard:
        await asyncio.sleep(0)
    telling.cancel()
    assert (joins.heard, other.heard) == ([{"kind": "review"}], [])


async def test_who_is_signed_out_while_hundreds_are_told_hears_no_more() -> None:
    ears = [Ear(number, SUPPORT) for number in range(3 * Hub.AT_ONCE)]
    hub = hub_of(*ears)
    telling = asyncio.create_task(hub.fan_out(case(1, SUPPORT)))
    await asyncio.sleep(0)  # the first ones have been told
    waiting = [ear for ear in ears if not ear.heard]
    for ear in waiting:
        hub.leave(ear)
    await telling
    assert waiting
    assert len(waiting) < len(ears)
    assert not any(ear.heard for ear in waiting)


async def test_a_frame_that_cannot_be_understood_does_not_end_the_feed() -> None:
    ear = Ear(1, SUPPORT)
    hub = hub_of(ear)
    telling = asyncio.create_task(hub._tell())
    hub.heard.put_nowait({"kind": "case"})
    while not hub.heard.empty():
        await asyncio.sleep(0)
    hub.heard.put_nowait(case(2, SUPPORT))
    while not ear.heard:
        await asyncio.sleep(0)
    telling.cancel()
    assert ear.versions == [2]


async def test_who_had_a_case_open_that_now_names_others_hears_no_more_of_who_looks_at_it() -> None:
    named, other = Ear(1, SUPPORT), Ear(2, SUPPORT)
    named.looking_at = other.looking_at = 7
    look = {"kind": "presence", "case": 7, "agent": {"id": 1, "name": "A", "initials": "A"}, "doing": "viewing"}
    hub = hub_of(named, other)
    await hub.fan_out(case(1, SUPPORT) | {"named": [1]}, look | {"channel": ""})
    assert [each["kind"] for each in named.heard] == ["case", "presence"]
    assert other.heard == []
    assert other.looking_at is None
