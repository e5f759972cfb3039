"""The sandbox on free ports with a product's webhook endpoint that only writes down what it was sent."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from connectors.sandbox.app import Sandbox
from connectors.sandbox.config import parse

PATIENCE = 10
ACCOUNT, AUTH_TOKEN, NUMBER = "AC" + "a" * 32, "b" * 32, "+14155550100"
WHATSAPP_NUMBER = "+14155550199"
SHOP, APP_ID, APP_SECRET, ACCESS_TOKEN = "17841405793187218", "990001", "shhh", "IGQVJ-token"
SUPPORT, SUPPORT_PASSWORD = "support@shop.example", "support-password"
MAYA = {
    "name": "Maya Ortiz",
    "email": "maya@ortiz.example",
    "email_password": "maya-password",
    "phone": "+14155552671",
    "instagram_id": "1002003004005006",
    "instagram_handle": "maya.ortz",
}
JON = {"name": "Jon Bell", "email": "jon@bell.example", "email_password": "jon-password", "phone": "+15035558841"}


@dataclass(frozen=True)
class Call:
    path: str
    headers: dict[str, str]
    body: bytes
    form: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def item(self) -> Any:
        return self.json["entry"][0]["messaging"][0]


@dataclass
class Product:
    """Answers with `answers` in turn, then with `answer`."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    content_type: str = "text/xml"
    text: str = "<Response/>"
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = {name: str(value) for name, value in (await request.post()).items()}
        async with self.came:
            self.calls.append(Call(request.path_qs, {k.lower(): v for k, v in request.headers.items()}, body, form))
            self.came.notify_all()
        if self.answers:
            return self.answers.pop(0)
        return web.Response(text=self.text, content_type=self.content_type)

    async def picture(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"\xff\xd8\xff\xe0jpeg", content_type="image/jpeg")

    async def until(self, enough: Callable[[list[Call]], object]) -> list[Call]:
        async with asyncio.timeout(PATIENCE), self.came:
            await self.came.wait_for(lambda: enough(self.calls))
        return self.calls

    def paths(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path.startswith(path)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(product: str = "http://127.0.0.1:1/") -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "http_port": free_port(),
        "smtp_port": free_port(),
        "imap_port": free_port(),
        "status_delay": 0.01,
        "product_url": product,
        "connectors": [
            {
                "kind": "sms",
                "address": NUMBER,
                "name": "Shop texts",
                "webhook_url": f"{product}hooks/sms/",
                "account_sid": ACCOUNT,
                "auth_token": AUTH_TOKEN,
            },
            {
                "kind": "instagram",
                "address": SHOP,
                "name": "The Shop",
                "webhook_url": f"{product}hooks/instagram/",
                "app_id": APP_ID,
                "app_secret": APP_SECRET,
                "access_token": ACCESS_TOKEN,
                "verify_token": "verify",
            },
            {
                "kind": "whatsapp",
                "address": WHATSAPP_NUMBER,
                "name": "Shop on WhatsApp",
                "webhook_url": f"{product}hooks/whatsapp/",
                "account_sid": ACCOUNT,
                "auth_token": AUTH_TOKEN,
            },
            {"kind": "email", "address": SUPPORT, "username": SUPPORT, "password": SUPPORT_PASSWORD},
        ],
        "customers": [MAYA, JON],
    }


@dataclass
class Stage:
    sandbox: Sandbox
    product: Product
    session: aiohttp.ClientSession
    folder: Path

    @property
    def url(self) -> str:
        return self.sandbox.config.base_url

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        async with self.session.post(f"{self.url}/control/{path}", json=body) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    async def say(self, channel: str, text: str = "Hello", **more: Any) -> Any:
        return await self.post("say", **({"customer": "Maya Ortiz", "channel": channel, "text": text} | more))

    async def inbox(self, customer: str = "Maya Ortiz") -> Any:
        async with self.session.get(f"{self.url}/control/inbox", params={"customer": customer}) as response:
            assert response.status == 200
            return await response.json()

    async def graph(self, method: str, path: str, token: str = ACCESS_TOKEN, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.url}/v25.0/{path}"
        async with self.session.request(method, address, headers=headers, **options) as response:
            return response.status, await response.json()

    async def until_logged(self, words: str) -> None:
        """Wait for a line on the wire."""

        def is_there() -> bool:
            return any(words in " ".join((one.what, *one.facts)) for one in self.sandbox.wire.entries)

        with self.sandbox.wire.listen() as queue:
            async with asyncio.timeout(PATIENCE):
                while not is_there():
                    await queue.get()


@asynccontextmanager
async def on_stage(folder: Path, **changes: Any) -> AsyncIterator[Stage]:
    product = Product()
    application = web.Application()
    application.router.add_get("/picture.jpg", product.picture)
    application.router.add_route("*", "/hooks/{rest:.*}", product.receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    product.url = f"http://127.0.0.1:{port}/"
    sandbox = Sandbox(parse(configuration(product.url) | changes), folder)
    await sandbox.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Stage(sandbox, product, session, folder)
    finally:
        await sandbox.stop()
        await runner.cleanup()
