"""How providers call the product: signed, over HTTP, with each provider's own patience.

Signatures: Twilio's HMAC-SHA1 over URL and sorted parameters; Meta's HMAC-SHA256 over the raw bytes of a body whose
non-ASCII characters and slashes are escaped.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from yarl import URL

from connectors.sandbox.config import Connector, is_loopback
from connectors.sandbox.faults import Faults
from connectors.sandbox.wire import Wire

TWILIO_PATIENCE = 15  # seconds, reference: connect and answer
META_PATIENCE = 20
META_RETRIES = (1, 3, 9, 27, 81)  # seconds between tries; the real one goes on for 36 hours
LARGEST_FILE = 26 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the product said. `status` 0: nobody answered."""

    status: int
    ms: int
    content_type: str = ""
    body: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class FileUnreachable(Exception):
    """A provider could not fetch the file it was given; the message says why."""


def twilio_signature(auth_token: str, url: str, parameters: Mapping[str, str]) -> str:
    signed = url.partition("#")[0] + "".join(name + parameters[name] for name in sorted(parameters))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashlib.sha1)).decode()


def meta_body(payload: Any) -> bytes:
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()


def meta_signature(app_secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


class Webhooks:
    def __init__(self, wire: Wire, faults: Faults) -> None:
        self.wire = wire
        self.faults = faults
        self.session: aiohttp.ClientSession | None = None
        self.tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.session is not None:
            await self.session.close()

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this beside everything else; ended with the sandbox."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def twilio(self, connector: Connector, url: str, parameters: dict[str, str], what: str) -> Answer:
        """One POST as Twilio makes it. Never again: Twilio does not repeat a message webhook."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": twilio_signature(connector.auth_token, url, parameters),
        }
        body = urlencode(parameters).encode()
        return await self._post("twilio", url, body, headers, what, TWILIO_PATIENCE)

    async def meta(self, connector: Connector, payload: Any, what: str) -> Answer:
        """The first POST as Meta makes it; where it fails, more follow beside."""
        body = meta_body(payload)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": meta_signature(connector.app_secret, body),
        }
        answer = await self._post("graph", connector.webhook_url, body, headers, what, META_PATIENCE)
        if answer.status != 200:
            self.later(self._insist(connector.webhook_url, body, headers, what))
        return answer

    async def _insist(self, url: str, body: bytes, headers: dict[str, str], what: str) -> None:
        for number, pause in enumerate(META_RETRIES, start=2):
            await asyncio.sleep(pause)
            answer = await self._post("graph", url, body, headers, f"{what}, try {number}", META_PATIENCE)
            if answer.status == 200:
                return
        self.wire.log("graph", "product", f"gave up on {what}", f"{len(META_RETRIES) + 1} tries", ok=False)

    async def _post(
        self, provider: str, url: str, body: bytes, headers: dict[str, str], what: str, patience: float
    ) -> Answer:
        late = self.faults.take("webhooks", "slow")
        if late is not None:
            await asyncio.sleep(late.seconds)
        if self.faults.take("webhooks", "lost") is not None:
            self.wire.log(provider, "product", what, "signed", "lost on the way", ok=False)
            return Answer(0, 0)
        twice = self.faults.take("webhooks", "duplicate_webhook") or self.faults.take(provider, "duplicate_webhook")
        posts = [
            self._post_once(provider, url, body, headers, what, patience) for _ in range(twice.copies if twice else 1)
        ]
        return (await asyncio.gather(*posts))[0]

    async def _post_once(
        self, provider: str, url: str, body: bytes, headers: dict[str, str], what: str, patience: float
    ) -> Answer:
        assert self.session is not None
        began = time.monotonic()
        address = URL(url.partition("#")[0], encoded=True)
        timeout = aiohttp.ClientTimeout(total=patience, connect=10)
        try:
            async with self.session.post(
                address, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                text = (await response.content.read(65536)).decode(errors="replace")
                answer = Answer(response.status, _since(began), response.content_type, text)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else "nobody answered"
            self.wire.log(provider, "product", what, "signed", reason, f"{_since(began)} ms", detail=url, ok=False)
            return Answer(0, _since(began))
        facts = ("signed", str(answer.status), f"{answer.ms} ms")
        self.wire.log(provider, "product", what, *facts, detail=url, ok=answer.ok)
        return answer

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """(content, content type) of a file the product offers at a link; raises `FileUnreachable`."""
        assert self.session is not None
        if not is_loopback(urlsplit(url).hostname or ""):
            raise FileUnreachable("The link leads away from this computer.")
        try:
            async with self.session.get(
                URL(url, encoded=True), timeout=aiohttp.ClientTimeout(total=30), max_redirects=3
            ) as response:
                content = await response.content.read(LARGEST_FILE + 1)
                while len(content) <= LARGEST_FILE and (chunk := await response.content.read(LARGEST_FILE)):
                    content += chunk
                if response.status != 200:
                    raise FileUnreachable(f"The link answers {response.status}.")
                if len(content) > LARGEST_FILE:
                    raise FileUnreachable("The file is larger than 25 MB.")
                return content, response.content_type
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise FileUnreachable("The link does not answer.") from error


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
