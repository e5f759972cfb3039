"""Hundreds of agents' sockets in one process, as lean as Python allows: what is measured is the server, not this.

A frame is noted with its time and nothing is done with it; frames are told apart by their `case` and `version`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
import time
from typing import Any

WHICH = re.compile(rb'"case":(\d+),"version":(\d+)')


class Socket(asyncio.Protocol):
    """RFC 6455, the part a server makes a client need: a handshake, unmasked frames in, pongs out."""

    def __init__(self, room: Room, port: int, origin: str, cookie: str) -> None:
        self.room, self.port, self.origin, self.cookie = room, port, origin, cookie
        self.received = bytearray()
        self.is_open = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: {self.origin}\r\n"
            f"Cookie: {self.cookie}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        at = time.time()
        self.received += data
        if not self.is_open:
            head, end, rest = bytes(self.received).partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.fail(head.split(b"\r\n")[0].decode())
                return
            self.is_open, self.received = True, bytearray(rest)
        while frame := self._next_frame():
            opcode, payload = frame
            if opcode == 9:
                self._pong(payload)
            elif opcode == 8:
                self.fail(f"closed by the server: {payload!r}")
            elif b'"hello"' in payload[:40]:
                if not self.ready.done():
                    self.ready.set_result(None)
            else:
                self.room.note(at, payload)

    def _next_frame(self) -> tuple[int, bytes] | None:
        data = self.received
        if len(data) < 2:
            return None
        length, start = data[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + length:
            return None
        payload = bytes(data[start : start + length])
        opcode = data[0] & 15
        del data[: start + length]
        return opcode, payload

    def _pong(self, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.transport.write(bytes([0x8A, 0x80 | len(payload)]) + mask + masked)

    def fail(self, why: str) -> None:
        self.room.failures.append(why)
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(why))
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(f"The connection was lost: {error}"))


class Room:
    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.arrivals: list[tuple[int, int, float]] = []
        self.failures: list[str] = []

    def note(self, at: float, payload: bytes) -> None:
        if which := WHICH.search(payload[:120]):
            self.arrivals.append((int(which[1]), int(which[2]), at))

    async def open(self, port: int, origin: str, cookies: list[str], count: int) -> int:
        """Until `count` sockets are open and have been greeted; ten at a time."""
        loop = asyncio.get_running_loop()
        while len(self.sockets) < count:
            some = []
            for _ in range(min(10, count - len(self.sockets))):
                cookie = cookies[len(self.sockets) % len(cookies)]
                _, socket = await loop.create_connection(
                    lambda cookie=cookie: Socket(self, port, origin, cookie), "127.0.0.1", port
                )
                self.sockets.append(socket)
                some.append(socket.ready)
            await asyncio.wait_for(asyncio.gather(*some), 20)
        return len(self.sockets)

    async def clear(self) -> None:
        self.arrivals.clear()

    async def heard(self, expected: int, patience: float) -> dict[str, Any]:
        """What arrived, once `expected` frames have, or as much as came within `patience` seconds."""
        deadline = time.time() + patience
        while len(self.arrivals) < expected and time.time() < deadline:
            await asyncio.sleep(0.02)
        return {"arrivals": self.arrivals, "failures": self.failures[:3]}


async def main() -> None:
    room, loop = Room(), asyncio.get_running_loop()
    verbs = {"open": room.open, "clear": room.clear, "heard": room.heard}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        print(json.dumps(await verbs[request.pop("verb")](**request)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
