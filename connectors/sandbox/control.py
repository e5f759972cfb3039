"""The HTTP face of the phone: its page, the control API and the stream of changes. Shapes: the package's docstring."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from connectors.sandbox.config import Config, is_loopback
from connectors.sandbox.faults import WORDS, Faults
from connectors.sandbox.people import People, Person
from connectors.sandbox.phone import Misunderstood, Phone
from connectors.sandbox.store import Store
from connectors.sandbox.story import Story
from connectors.sandbox.wire import Wire

WEB = Path(__file__).parent / "web"
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html", ".svg": "image/svg+xml"}
HEARTBEAT = 15  # seconds
STRANGERS_SHOWN = 20
STORY_PAUSE = 7.0  # seconds
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Act = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No other website may steer the sandbox from a visitor's browser, not by a rebound name either."""
    origin = request.headers.get("Origin")
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        return web.json_response({"error": "The sandbox answers to loopback names only."}, status=403)
    if origin and urlsplit(origin).netloc != request.host:
        return web.json_response({"error": "Another site may not use the sandbox."}, status=403)
    return await handler(request)


class Control:
    def __init__(
        self, config: Config, people: People, phone: Phone, story: Story, faults: Faults, store: Store, wire: Wire
    ) -> None:
        self.config, self.people, self.phone, self.story = config, people, phone, story
        self.faults, self.store, self.wire = faults, store, wire

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.page),
            web.get("/web/{name}", self.asset),
            web.get("/files/{id}", self.file),
            web.get("/control/health", self.health),
            web.get("/control/state", self.state),
            web.get("/control/inbox", self.inbox),
            web.get("/control/log", self.log),
            web.get("/control/faults", self.shown_faults),
            web.get("/control/events", self.events),
            web.post("/control/say", self.act(self.say)),
            web.post("/control/read", self.act(self.read)),
            web.post("/control/unsend", self.act(self.unsend)),
            web.post("/control/react", self.act(self.react)),
            web.post("/control/faults", self.act(self.set_fault)),
            web.post("/control/story", self.act(self.play)),
        ]

    def act(self, act: Act) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if request.content_type != "application/json":
                return _error("Send JSON, as application/json.", 415)
            try:
                body = await request.json()
                if not isinstance(body, dict):
                    raise Misunderstood("Send a JSON object.")
                return web.json_response(await act(body))
            except (Misunderstood, ValueError, TypeError, OverflowError) as error:
                return _error(str(error), 400)

        return answer

    async def say(self, body: dict[str, Any]) -> dict[str, Any]:
        return (await self.phone.say(body)).shown()

    async def read(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.phone.read(self.phone.person(body), str(body.get("channel", "")))
        return {"webhook_status": answer.status if answer else None}

    async def unsend(self, body: dict[str, Any]) -> dict[str, Any]:
        return (await self.phone.unsend(self.phone.person(body), str(body.get("id") or ""))).shown()

    async def react(self, body: dict[str, Any]) -> dict[str, Any]:
        person, emoji = self.phone.person(body), str(body.get("emoji", "❤️"))
        return (await self.phone.react(person, str(body.get("id") or ""), emoji)).shown()

    async def set_fault(self, body: dict[str, Any]) -> dict[str, Any]:
        times = body.get("times")
        self.faults.set(
            str(body.get("provider", "")),
            str(body.get("fault", "")),
            seconds=float(body.get("seconds") or 4),
            times=int(times) if times else None,
            copies=int(body.get("copies") or 2),
        )
        self.wire.announce("faults")
        return {"faults": self.faults.shown()}

    async def play(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("stop"):
            self.story.stop()
        else:
            person = self.phone.person(body) if "customer" in body else self._first_with_all()
            self.story.play(person, float(body.get("pause") or STORY_PAUSE))
        return self.story.state

    def _first_with_all(self) -> Person:
        for person in self.people.everybody:
            if person.email and person.phone and person.instagram_id:
                return person
        raise Misunderstood("Nobody has all three addresses.")

    async def page(self, request: web.Request) -> web.StreamResponse:
        return _static(WEB / "index.html")

    async def asset(self, request: web.Request) -> web.StreamResponse:
        path = WEB / request.match_info["name"]
        if path.parent != WEB or path.suffix not in TYPES or not path.is_file():
            return _error("There is no such file.", 404)
        return _static(path)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A stored file. Only pictures are shown; anything else is downloaded."""
        file = self.store.file(request.match_info["id"])
        if file is None or not file.path.is_file():
            return _error("There is no such file.", 404)
        headers = HEADERS | {
            "Content-Type": file.content_type,
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        if not file.content_type.startswith("image/") or file.content_type.startswith("image/svg"):
            headers["Content-Disposition"] = "attachment"
        return web.FileResponse(file.path, headers=headers)

    async def health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True})

    async def state(self, request: web.Request) -> web.StreamResponse:
        strangers = [person for person in self.people.everybody if person.stranger][-STRANGERS_SHOWN:]
        people = [self._card(person) for person in self.people.everybody if not person.stranger]
        people += [self._card(person) for person in reversed(strangers)]
        ours = [{"kind": one.kind, "address": one.address, "name": one.name} for one in self.config.connectors]
        return web.json_response(
            {
                "people": people,
                "connectors": ours,
                "faults": self.faults.shown(),
                "fault_words": WORDS,
                "story": self.story.state,
                "product_url": self.config.product_url,
            },
            headers=HEADERS,
        )

    def _card(self, person: Person) -> dict[str, Any]:
        """A person on the page. The configuration's note is about the time before they wrote."""
        note = "" if self.phone.has_written(person) else person.note
        whatsapp = person.phone if self.config.of_kind("whatsapp") else ""
        return person.shown() | {"unread": self.phone.unread(person), "note": note, "whatsapp": whatsapp}

    async def inbox(self, request: web.Request) -> web.StreamResponse:
        person = self.people.find(request.query.get("customer", ""))
        if person is None:
            return _error("There is no such customer.", 404)
        return web.json_response(self.phone.inbox(person), headers=HEADERS)

    async def log(self, request: web.Request) -> web.StreamResponse:
        after = request.query.get("after", "0")
        return web.json_response({"entries": self.wire.after(int(after) if after.isdigit() else 0)}, headers=HEADERS)

    async def shown_faults(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"faults": self.faults.shown(), "words": WORDS}, headers=HEADERS)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events; the stream ends when the page is too slow or the sandbox stops."""
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with self.wire.listen() as queue:
            await response.write(b"retry: 1000\n\n")
            while queue in self.wire.listeners:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT)
                    await response.write(f"data: {json.dumps(event)}\n\n".encode())
                except TimeoutError:
                    await response.write(b": still here\n\n")
                except ConnectionResetError:
                    break
        return response


def _static(path: Path) -> web.Response:
    return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8", headers=HEADERS)


def _error(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
