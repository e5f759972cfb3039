"""Mailboxes in From, To, Cc … found the tolerant way, and never the wrong one of two (security A26)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from connectors.adapters.email.characters import one_line
from connectors.adapters.email.headers import Headers, decode
from connectors.messages import Sender

MAX_ADDRESSES = 1000

_LABEL = r"[^\s<>()\[\]{},;:@\"'\\.\x00-\x1f]++"
_ADDRESS = re.compile(rf"[^\s<>()\[\],;:@\"\\\x00-\x1f]{{1,64}}@{_LABEL}(?:\.{_LABEL})*+(?!@)")
_QUOTED_LOCAL = re.compile(r"^\"([^\"\\\s<>@]+)\"@")  # "john.doe"@x is john.doe@x
_ANGLE = re.compile(r"<([^<>]*)>")
_COMMENT = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Author:
    """Who a mail says wrote it. `doubt` says in words why the From must not be believed, or is ''."""

    sender: Sender
    doubt: str = ""


def author(headers: Headers) -> Author | None:
    """The one author, or None without a usable From."""
    fields = headers.all("from")
    found = [sender for field in fields for sender in mailboxes(field)]
    if not found:
        return None
    sender = found[0]
    if len(fields) > 1:
        return Author(sender, "several From headers")
    if len({item.address.lower() for item in found}) > 1:
        return Author(sender, "several addresses in From")
    named = {address.lower() for address in _ADDRESS.findall(_without_quoted(fields[0]))}
    if len(named | {sender.address.lower()}) > 1:
        return Author(sender, "two addresses in From")
    if re.search(r"[\r\n\x00]", decode(fields[0])):
        return Author(sender, "control characters in From")
    return Author(sender)


def every(headers: Headers, *names: str) -> tuple[Sender, ...]:
    """All mailboxes of these fields, each address once."""
    seen: dict[str, Sender] = {}
    for name in names:
        for field in headers.all(name):
            for sender in mailboxes(field):
                seen.setdefault(sender.address.lower(), sender)
                if len(seen) >= MAX_ADDRESSES:
                    return tuple(seen.values())
    return tuple(seen.values())


@lru_cache(maxsize=64)  # the same few fields of one mail are asked about again and again
def mailboxes(raw: str) -> tuple[Sender, ...]:
    """The mailboxes of one raw field value. `Smith, Bob <b@x>` without quotes is one person."""
    return tuple(_mailboxes(raw))


def _mailboxes(raw: str) -> Iterator[Sender]:
    loose = ""
    for piece in _pieces(raw):
        sender = _mailbox(f"{loose}, {piece}" if loose else piece)
        if sender is None and "@" not in piece and piece.strip():
            loose = f"{loose}, {piece}".strip(", ")[:200]
            continue
        loose = ""
        if sender is not None:
            yield sender


def is_address(text: str) -> bool:
    return len(text) <= 320 and _ADDRESS.fullmatch(text) is not None


def clean_name(raw: str, address: str) -> str:
    """A display name as text; one that poses as an address other than the sender's is dropped."""
    name = one_line(decode(raw), 200).strip("\"' ")
    name = re.sub(r"\\(.)", r"\1", name)
    posed = _ADDRESS.search(name)
    return "" if posed and posed[0].lower() != address.lower() else name


def _mailbox(piece: str) -> Sender | None:
    angles = [found for found in _ANGLE.finditer(piece) if "@" in found[1]]
    if angles:
        return _sender(angles[-1][1], _COMMENT.sub("", piece[: angles[-1].start()]).replace("<", "").replace(">", ""))
    comments = _COMMENT.findall(piece)
    bare = _COMMENT.sub(" ", piece).strip()
    if "<" in bare:  # an angle bracket that never closes, or one too many
        name, _, rest = bare.rpartition("<")
        return _sender(rest, name)
    if is_address(bare.strip("\"' .>")):
        return _sender(bare, comments[0] if comments else "")
    found: list[str] = _ADDRESS.findall(bare) or _ADDRESS.findall(one_line(decode(bare)))
    return _sender(found[-1], "") if found else None


def _sender(address: str, name: str) -> Sender | None:
    address = (
        _QUOTED_LOCAL.sub(r"\1@", one_line(address))
        .strip("<>'\" ")
        .removeprefix("mailto:")
        .replace(" ", "")
        .rstrip(".")
    )
    return Sender(address, name=clean_name(name, address)) if is_address(address) else None


def _pieces(raw: str) -> Iterator[str]:
    """Split at commas and semicolons outside quotes, comments and brackets; a group's own name is skipped."""
    quotable = raw.count('"') % 2 == 0  # one stray quote would swallow the rest
    start, quoted, comment, angle, index = 0, False, 0, False, 0
    while index < len(raw):
        letter = raw[index]
        if letter == "\\" and quoted:
            index += 1
        elif letter == '"' and quotable:
            quoted = not quoted
        elif quoted:
            pass
        elif letter == "(":
            comment += 1
        elif letter == ")" and comment:
            comment -= 1
        elif comment:
            pass
        elif letter in "<>":
            angle = letter == "<"
        elif letter == ":" and not angle and not raw[start:index].rstrip().lower().endswith("mailto"):
            start = index + 1
        elif letter in ",;" and not angle:
            yield raw[start:index]
            start = index + 1
        index += 1
    yield raw[start:]


def _without_quoted(raw: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', "", raw) if raw.count('"') % 2 == 0 else raw
