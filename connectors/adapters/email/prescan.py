"""Linear caps before a mail meets the parser, whose cost is quadratic in places (architecture.md §4, Caps).

Genuine mail's maxima were 10.5 KiB of headers, 8.9 KiB in one header, 43 parts, depth 9.
"""

from __future__ import annotations

import re

MAX_MAIL_BYTES = 40 * 1024 * 1024
MAX_TOP_BYTES = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_ALL_HEADER_BYTES = 256 * 1024
MAX_PARTS = 1000
MAX_DEPTH = 50

_BLOCK = re.compile(rb"(?:(?:[ \t]|From |[!-9;-~]++[ \t]*+:)[^\n]*+(?:\n|\Z))*+")
_NEXT_HEADER = re.compile(rb"\n(?![ \t])")
_DELIMITER = re.compile(rb"\n--([^\n]*)")
_BOUNDARY = re.compile(rb"""boundary\*?0?\*?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))""", re.IGNORECASE | re.DOTALL)


class TooHostile(Exception):
    """This mail is over a cap; `reason` says which, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def prescan(raw: bytes) -> None:
    """Raise `TooHostile` if the mail is over a cap; costs one pass over the bytes."""
    if len(raw) > MAX_MAIL_BYTES:
        raise TooHostile(f"more than {MAX_MAIL_BYTES // 1024 // 1024} MB")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    top = _block(raw, 0)
    if len(top) > MAX_TOP_BYTES:
        raise TooHostile(f"more than {MAX_TOP_BYTES // 1024} KiB of headers")
    _Tally(top).walk(raw, len(top))


class _Tally:
    def __init__(self, top: bytes) -> None:
        self.header_bytes = 0
        self.parts = 1
        self.depth_of: dict[bytes, int] = {}  # open boundaries, and how deep the parts between them lie
        self._count(top, depth=0)

    def walk(self, raw: bytes, start: int) -> None:
        for delimiter in _DELIMITER.finditer(raw, max(0, start - 1)):
            line = delimiter[1].rstrip()
            depth = self.depth_of.get(line)
            if depth is None:
                continue
            self.parts += 1
            if self.parts > MAX_PARTS:
                raise TooHostile(f"more than {MAX_PARTS:,} parts")
            self.depth_of = {boundary: level for boundary, level in self.depth_of.items() if level <= depth}
            self._count(_block(raw, delimiter.end() + 1), depth)

    def _count(self, block: bytes, depth: int) -> None:
        self.header_bytes += len(block)
        if self.header_bytes > MAX_ALL_HEADER_BYTES:
            raise TooHostile(f"more than {MAX_ALL_HEADER_BYTES // 1024} KiB of headers over all parts")
        if any(len(header) > MAX_HEADER_BYTES for header in _NEXT_HEADER.split(block)):
            raise TooHostile(f"a header of more than {MAX_HEADER_BYTES // 1024} KiB")
        if depth >= MAX_DEPTH:
            raise TooHostile(f"parts nested more than {MAX_DEPTH} deep")
        for quoted, token in _BOUNDARY.findall(block):
            boundary = re.sub(rb"\\(.)", rb"\1", quoted) if quoted else token.rpartition(b"'")[2]
            self.depth_of.setdefault(boundary.rstrip(), depth + 1)


def _block(raw: bytes, start: int) -> bytes:
    found = _BLOCK.match(raw, start)
    return found[0] if found else b""
