"""Answers as Twilio's REST API does to a message, at once. Loopback only; a port is its one argument."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
from urllib.parse import parse_qs

_numbers = itertools.count(1)


class Answering(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while True:
            head, end, rest = self.received.partition(b"\r\n\r\n")
            if not end:
                return
            found = re.search(rb"content-length: *(\d+)", head, re.I)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self.received = rest[length:]
            self._answer(head, parse_qs(rest[:length].decode()))

    def _answer(self, head: bytes, fields: dict[str, list[str]]) -> None:
        if not head.startswith(b"POST"):
            self._send(b"404 Not Found", {})
            return
        body = {
            "sid": f"SM{next(_numbers):032x}",
            "account_sid": "AC" + "b" * 32,
            "status": "queued",
            "from": fields["From"][0],
            "to": fields["To"][0],
            "body": fields["Body"][0],
            "direction": "outbound-api",
            "num_media": "0",
            "num_segments": "1",
            "error_code": None,
            "error_message": None,
        }
        self._send(b"201 Created", body)

    def _send(self, status: bytes, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(data))
        self.transport.write(head + data)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
