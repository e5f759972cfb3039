"""The agents' socket. It says what changed; it never carries anything the agent could not fetch."""

from __future__ import annotations

import json
from typing import Any

from asgiref.typing import WebSocketSendEvent
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare
from django.utils.timezone import now

from inbox.hub import hub
from inbox.models import Agent, Case
from inbox.wake import publish

MOST_BYTES = 4_096


class Feed(AsyncWebsocketConsumer):
    agent_id: int
    teams: frozenset[int] = frozenset()
    is_supervisor = False
    may_join = False
    session_key = ""
    session_hash = ""
    looking_at: int | None = None
    watches_board = False

    async def connect(self) -> None:
        agent = await self._agent()
        if agent is None:
            await self.close(code=4401)
            return
        await self.accept()
        await hub().join(self)
        await self.send(json.dumps({"kind": "hello", "time": now().isoformat(), "agent": self.agent_id}))

    @database_sync_to_async
    def _agent(self) -> Agent | None:
        session = SessionStore(self.scope["cookies"].get(settings.SESSION_COOKIE_NAME))
        agents = Agent.objects.active().prefetch_related("teams")
        agent: Agent | None = agents.filter(pk=session.get(SESSION_KEY)).first()
        if agent is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), agent.get_session_auth_hash()):
            return None
        self.agent_id, self.is_supervisor = agent.pk, agent.is_supervisor
        self.may_join = agent.is_allowed_to_join
        self.teams = frozenset(team.pk for team in agent.teams.all())
        self.session_key, self.session_hash = session.session_key or "", agent.get_session_auth_hash()
        self.who = {"id": agent.pk, "name": agent.name, "initials": agent.initials}
        return agent

    async def disconnect(self, code: int) -> None:
        hub().leave(self)
        self._say(doing="")

    async def pass_on(self, message: WebSocketSendEvent) -> None:
        """Straight to the server: hundreds of sockets are told the same."""
        await self.base_send(message)

    async def end(self) -> None:
        await self.close(code=4401)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        frame = _understood(text_data)
        if frame is None:
            await self.close(code=1003)
            return
        match frame:
            case {"look": None}:
                self._say(doing="")
                self.looking_at = None
            case {"look": int(case)}:
                await self._look(case)
            case {"typing": str(channel)}:
                self._say(doing="replying" if channel else "viewing", channel=channel[:16])
            case {"watch": "board"} if self.is_supervisor:
                self.watches_board = True
            case _:
                await self.close(code=1008)

    async def _look(self, case: int) -> None:
        if case != self.looking_at:
            self._say(doing="")
            if not await self._may_see(case):
                self.looking_at = None
                return
            self.looking_at = case
        self._say(doing="viewing")
        await self.send(json.dumps(hub().presence_frame(case)))

    @database_sync_to_async
    def _may_see(self, case: int) -> bool:
        agent = Agent.objects.active().filter(pk=self.agent_id).first()
        return agent is not None and Case.objects.visible_to(agent).filter(pk=case).exists()

    def _say(self, *, doing: str, channel: str = "") -> None:
        if self.looking_at is not None:
            publish(
                {"kind": "presence", "case": self.looking_at, "agent": self.who, "doing": doing, "channel": channel}
            )


def _understood(text: str | None) -> dict[str, Any] | None:
    """A small JSON object, or None for binary, oversized, over-deep and other garbage."""
    if text is None or len(text) > MOST_BYTES:
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return frame if isinstance(frame, dict) and len(frame) == 1 else None
