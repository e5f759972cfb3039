"""What stands for a mail that was not fetched: its headers, and one sentence saying so."""

from __future__ import annotations

import re

_OWN_SHAPE = re.compile(rb"^(?:content-[^:\n]*|mime-version):[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)


def stub(header: bytes, sentence: str) -> bytes:
    """A small text mail with the original's headers, except those that describe the missing body."""
    lines = header.replace(b"\r\n", b"\n").strip(b"\n") + b"\n"
    kept = _OWN_SHAPE.sub(b"", lines)
    shape = b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    return (kept + shape + b"\n" + sentence.encode() + b"\n").replace(b"\n", b"\r\n")
