"""Posts signed webhooks as Twilio does, from a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from twilio.request_validator import RequestValidator

from tests.bench.helper import serve
from tests.bench.seeding import OF_THE_FAR_END, WORDS

_numbers = itertools.count(random.randrange(10**9))
TOKEN = "a-token-of-the-bench"
LENGTH = re.compile(rb"content-length: *(\d+)", re.I)


def _signed(signed_url: str, sender: str, to: str) -> tuple[bytes, str]:
    sid = f"SM{next(_numbers):032x}"
    fields = {
        "ToCountry": "US",
        "SmsMessageSid": sid,
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": OF_THE_FAR_END,
        "From": sender,
        "To": to,
        "Body": " ".join(random.choices(WORDS, k=14)),
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
    }
    return urlencode(fields).encode(), RequestValidator(TOKEN).compute_signature(signed_url, fields)


class Line:
    """One connection that stays, without a client library: it would cost more than what it measures."""

    def __init__(self, url: str) -> None:
        self.host, self.port, self.path = (where := urlsplit(url)).hostname, where.port, where.path

    async def __aenter__(self) -> Line:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def __aexit__(self, *trouble: object) -> None:
        self.writer.close()

    async def post(self, message: tuple[bytes, str]) -> int:
        body, signature = message
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nX-Twilio-Signature: {signature}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(answer)
        assert length, answer
        await self.reader.readexactly(int(length[1]))
        return int(answer[9:12])


async def _post(session: aiohttp.ClientSession, url: str, message: tuple[bytes, str]) -> tuple[int, float, float]:
    body, signature = message
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    began = time.perf_counter()
    async with session.post(url, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status, time.perf_counter() - began, time.time()


def at_rate(url: str, signed_url: str, to: str, senders: list[str], rate: float) -> list[tuple[int, float, float]]:
    """One from each sender, at fixed moments whether the last one was answered or not: (status, seconds, when it
    was answered) of each."""
    messages = [_signed(signed_url, sender, to) for sender in senders]

    async def go() -> list[Any]:
        limit = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=limit, timeout=aiohttp.ClientTimeout(30)) as session:
            loop, tasks = asyncio.get_running_loop(), []
            start = loop.time() + 0.05
            for turn, message in enumerate(messages):
                await asyncio.sleep(start + turn / rate - loop.time())
                tasks.append(asyncio.create_task(_post(session, url, message)))
            return await asyncio.gather(*tasks)

    return asyncio.run(go())


def flat_out(url: str, signed_url: str, to: str, senders: list[str], connections: int) -> tuple[list[int], float]:
    """As fast as `connections` of them get answers: the statuses, and the seconds for all."""
    messages = iter([_signed(signed_url, sender, to) for sender in senders])
    statuses: list[int] = []

    async def keep_posting() -> None:
        async with Line(url) as line:
            for message in messages:
                statuses.append(await line.post(message))

    async def go() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(keep_posting() for _ in range(connections)))
        return time.perf_counter() - began

    seconds = asyncio.run(go())
    return statuses, seconds


if __name__ == "__main__":
    serve({"at_rate": at_rate, "flat_out": flat_out})
