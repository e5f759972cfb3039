"""The virus scanner, if there is one: clamd, asked by its INSTREAM command (clamd(8))."""

from __future__ import annotations

import re
import socket
import struct

from django.conf import settings

from connectors.errors import FetchFailed

SECONDS = 30
CHUNK = 64 * 1024
FOUND = re.compile(r"stream: (.+) FOUND")


def is_on() -> bool:
    return bool(settings.CLAMD)


def virus_in(content: bytes) -> str:
    """The name of what was found; empty when it is clean or there is no scanner. Raises FetchFailed when clamd cannot
    say, because an unseen file is not a clean one."""
    if not is_on():
        return ""
    try:
        answer = _asked(content)
    except OSError as error:
        raise FetchFailed("The virus scanner does not answer.", permanent=False) from error
    found = FOUND.fullmatch(answer)
    if found:
        return found[1][:100]
    if answer != "stream: OK":
        raise FetchFailed(f"The virus scanner could not look into it: {answer[:100] or 'no answer'}", permanent=False)
    return ""


def _asked(content: bytes) -> str:
    with _connection() as clamd:
        clamd.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), CHUNK):
            chunk = content[start : start + CHUNK]
            clamd.sendall(struct.pack("!I", len(chunk)) + chunk)
        clamd.sendall(struct.pack("!I", 0))
        answer = b""
        while part := clamd.recv(4096):
            answer += part
    return answer.decode("utf-8", "replace").strip("\0\n ")


def _connection() -> socket.socket:
    """`host:port`, or the path of a socket."""
    address = settings.CLAMD
    if address.startswith("/"):
        clamd = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        clamd.settimeout(SECONDS)
        clamd.connect(address)
        return clamd
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS)
