"""Files written into the text itself: `begin 644 name` … `end`."""

from __future__ import annotations

import binascii
import re

_BLOCK = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n((?:[ -`]{1,62}[ \t]*\n)*)end[ \t]*$", re.MULTILINE)


def extract(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without its uuencoded files, and these as (name, content). A block that does not decode stays text."""
    if "\nend" not in text or "begin " not in text:
        return text, []
    files: list[tuple[str, bytes]] = []

    def take(block: re.Match[str]) -> str:
        content = _decoded(block[2])
        if not content:
            return block[0]
        files.append((block[1], content))
        return ""

    return _BLOCK.sub(take, text), files


def part(encoded: bytes) -> bytes:
    """What a part with this transfer encoding holds; as it stands where it cannot be decoded."""
    begun, _, rest = encoded.replace(b"\r\n", b"\n").partition(b"\n")
    if not begun.startswith(b"begin "):
        return encoded
    return _decoded(rest.partition(b"\nend")[0].decode("ascii", "replace")) or encoded


def _decoded(lines: str) -> bytes:
    try:
        return b"".join(binascii.a2b_uu(line) for line in lines.splitlines())
    except (binascii.Error, UnicodeError, ValueError):
        return b""
