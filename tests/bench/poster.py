"""Posts signed webhooks as Twilio does, from a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator

from tests.bench.helper import serve
from tests.bench.seeding import OF_THE_FAR_END, WORDS

_numbers = itertools.count(random.randrange(10**9))
TOKEN = "a-token-of-the-bench"


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

    async def go() -> float:
        limit = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(connector=limit, timeout=aiohttp.ClientTimeout(30)) as session:

            async def keep_posting() -> None:
                for message in messages:
                    statuses.append((await _post(session, url, message))[0])

            began = time.perf_counter()
            await asyncio.gather(*(keep_posting() for _ in range(connections)))
            return time.perf_counter() - began

    seconds = asyncio.run(go())
    return statuses, seconds


if __name__ == "__main__":
    serve({"at_rate": at_rate, "flat_out": flat_out})
