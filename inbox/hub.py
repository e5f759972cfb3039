"""All sockets of one web process, and the one Redis subscription that feeds them.

Channels' groups are not used: measured, one subscription and a local loop deliver 5 to 10 times as much. Who may hear
what is decided here, per socket, from rights that are read again every few seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import redis.asyncio
from asgiref.typing import WebSocketSendEvent
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils.timezone import now

from inbox.models import Agent
from inbox.wake import LIVE_CHANNEL

log = logging.getLogger(__name__)


class Socket(Protocol):
    agent_id: int
    teams: frozenset[int]
    is_supervisor: bool
    may_join: bool
    session_key: str
    session_hash: str
    looking_at: int | None
    watches_board: bool

    async def pass_on(self, message: WebSocketSendEvent) -> None: ...
    async def end(self) -> None: ...


class Hub:
    """All sockets of this process and the one subscription that feeds them."""

    CHECK_SECONDS = 4.0
    PRESENCE_SECONDS = 45.0
    BOARD_SECONDS = 1.0
    REVIEW_SECONDS = 1.0
    AT_ONCE = 25

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.tasks: list[asyncio.Task[None]] = []
        self.present: dict[int, dict[int, dict[str, Any]]] = {}
        self.board_changed = asyncio.Event()
        self.review_changed = asyncio.Event()
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def join(self, socket: Socket) -> None:
        self.sockets.add(socket)
        if not any(not task.done() for task in self.tasks):
            self.tasks = [
                asyncio.create_task(self._listen()),
                asyncio.create_task(self._tell()),
                asyncio.create_task(self._check_rights()),
                asyncio.create_task(self._tell_boards()),
                asyncio.create_task(self._tell_reviewers()),
            ]

    def leave(self, socket: Socket) -> None:
        self.sockets.discard(socket)

    async def _listen(self) -> None:
        """One subscription, kept alive: a Redis that went away is asked again, a little later each time."""
        pause = 0.2
        while True:
            try:
                client = redis.asyncio.Redis.from_url(
                    settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=5, socket_keepalive=True
                )
                async with client, client.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(LIVE_CHANNEL)
                    pause = 0.2
                    while True:
                        message = await channel.get_message(timeout=5.0)
                        if message:
                            self.heard.put_nowait(json.loads(message["data"]))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  Redis and its client raise many kinds; browsers catch up by asking
                log.warning("The live feed lost Redis, trying again: %s", error)
            await asyncio.sleep(pause + random.random() * pause)
            pause = min(pause * 2, 5.0)

    async def _tell(self) -> None:
        """What came while sockets were being told goes to each of them in one piece."""
        while True:
            frames = [await self.heard.get()]
            while not self.heard.empty():
                frames.append(self.heard.get_nowait())
            try:
                await self.fan_out(*frames)
            except asyncio.CancelledError:
                raise
            except Exception:  # one bad frame never ends the feed
                log.exception("Could not pass on what happened")

    async def fan_out(self, *frames: dict[str, Any]) -> None:
        post: dict[Socket, list[WebSocketSendEvent]] = {}
        for frame in frames:
            if frame.get("kind") == "agent":
                await self._check_now({frame["agent"]})
            shown, hearers = self._hearers(frame)
            message = _message(shown)
            for socket in hearers:
                post.setdefault(socket, []).append(message)
        await self._deliver(post)

    def _hearers(self, frame: dict[str, Any]) -> tuple[dict[str, Any], list[Socket]]:
        """What is passed on of a frame, and the sockets that may hear it."""
        match frame.get("kind"):
            case "presence":
                self._note_presence(frame)
                return self.presence_frame(frame["case"]), self._lookers(frame["case"])
            case "alert":
                agents = set(frame.pop("agents"))
                return frame, [each for each in self.sockets if each.agent_id in agents]
            case "case":
                self.board_changed.set()
                self._forget_lookers(frame)
                return frame, [each for each in self.sockets if _may_see(each, frame)]
            case "board":
                self.board_changed.set()
            case "review":
                self.review_changed.set()
        return frame, []

    async def _deliver(self, post: Mapping[Socket, Sequence[WebSocketSendEvent]]) -> None:
        """The server gets a turn to write now and then: not only once the last of hundreds has been told."""
        for turn, (socket, messages) in enumerate(post.items(), 1):
            if socket in self.sockets:  # it may have been signed out meanwhile
                for message in messages:
                    await socket.pass_on(message)
            if turn % self.AT_ONCE == 0:
                await asyncio.sleep(0)

    def _note_presence(self, frame: dict[str, Any]) -> None:
        """Learned from the frames of all processes; nothing is stored, and what is not repeated fades."""
        agents = self.present.setdefault(frame["case"], {})
        if frame["doing"]:
            agents[frame["agent"]["id"]] = {
                **frame["agent"],
                "doing": frame["doing"],
                "channel": frame["channel"],
                "until": time.monotonic() + self.PRESENCE_SECONDS,
            }
        else:
            agents.pop(frame["agent"]["id"], None)
        if not agents:
            self.present.pop(frame["case"], None)

    def presence_frame(self, case: int) -> dict[str, Any]:
        instant = time.monotonic()
        agents = [each for each in self.present.get(case, {}).values() if each["until"] > instant]
        return {
            "kind": "presence",
            "case": case,
            "agents": [{key: each[key] for key in ("id", "name", "initials", "doing", "channel")} for each in agents],
        }

    def _lookers(self, case: int) -> list[Socket]:
        return [each for each in self.sockets if each.looking_at == case]

    def _forget_lookers(self, frame: Mapping[str, Any]) -> None:
        """Who had it open when it became a sensitive case that does not name them."""
        if frame.get("named") is None:
            return
        for socket in self._lookers(frame["case"]):
            if socket.agent_id not in frame["named"]:
                socket.looking_at = None
        for agent in {*self.present.get(frame["case"], {})} - {*frame["named"]}:
            self.present[frame["case"]].pop(agent)

    async def _tell_boards(self) -> None:
        while True:
            await self.board_changed.wait()
            self.board_changed.clear()
            message = _message({"kind": "board"})
            await self._deliver({each: [message] for each in self.sockets if each.watches_board})
            await asyncio.sleep(self.BOARD_SECONDS)

    async def _tell_reviewers(self) -> None:
        """Who may say that two are one person hears that there is more or less to answer, once a second at most."""
        while True:
            await self.review_changed.wait()
            self.review_changed.clear()
            message = _message({"kind": "review"})
            await self._deliver({each: [message] for each in self.sockets if each.may_join})
            await asyncio.sleep(self.REVIEW_SECONDS)

    async def _check_rights(self) -> None:
        """Signed out, deactivated, password changed, team changed: noticed within seconds, for all sockets at once."""
        while True:
            await asyncio.sleep(self.CHECK_SECONDS)
            try:
                await self._check_now(None)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  the database may be away; asked again in a moment
                log.warning("Could not check who is still signed in: %s", error)

    async def _check_now(self, agent_ids: set[int] | None) -> None:
        sockets = [each for each in self.sockets if agent_ids is None or each.agent_id in agent_ids]
        if not sockets:
            return
        agents, sessions = await _rights({each.agent_id for each in sockets}, {each.session_key for each in sockets})
        for socket in sockets:
            agent = agents.get(socket.agent_id)
            if agent is None or socket.session_key not in sessions or agent["hash"] != socket.session_hash:
                self.leave(socket)
                await socket.end()
            else:
                socket.teams, socket.is_supervisor = agent["teams"], agent["is_supervisor"]
                socket.may_join = agent["may_join"]


def _may_see(socket: Socket, frame: Mapping[str, Any]) -> bool:
    """As Case.objects.visible_to."""
    if socket.agent_id in frame.get("but", ()):
        return False
    if frame.get("named") is not None:
        return socket.agent_id in frame["named"]
    return socket.is_supervisor or bool(socket.teams & {*frame["teams"]})


def _message(frame: Mapping[str, Any]) -> WebSocketSendEvent:
    text = json.dumps(frame, separators=(",", ":"))
    return cast("WebSocketSendEvent", {"type": "websocket.send", "text": text})


@database_sync_to_async
def _rights(agent_ids: set[int], session_keys: set[str]) -> tuple[dict[int, dict[str, Any]], set[str]]:
    agents = {
        agent.pk: {
            "hash": agent.get_session_auth_hash(),
            "teams": frozenset(team.pk for team in agent.teams.all()),
            "is_supervisor": agent.is_supervisor,
            "may_join": agent.is_allowed_to_join,
        }
        for agent in Agent.objects.active().filter(pk__in=agent_ids).prefetch_related("teams")
    }
    alive = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now())
    return agents, set(alive.values_list("session_key", flat=True))


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """One per event loop, so that tests with loops of their own do not share sockets."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for old in [each for each in _hubs if each.is_closed()]:
            del _hubs[old]
        _hubs[loop] = Hub()
    return _hubs[loop]
