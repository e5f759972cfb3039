"""Which of our addresses a mail was sent to, and the reply tokens it carries (reference/email.md §3.1–3.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.adapters.email import addresses
from connectors.adapters.email.headers import Headers

ENVELOPE = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to")
VISIBLE = ("to", "cc", "resent-to", "resent-cc")

_TOKEN = re.compile(r"r\.([a-z0-9_-]{16,60})")


def reply_address(address: str, token: str) -> str:
    """`support+r.<token>@example.com`: the Reply-To of what we send."""
    local, _, domain = address.rpartition("@")
    return f"{local}+r.{token}@{domain}"


def delivered_to(headers: Headers) -> tuple[str, ...]:
    """The addresses the mail systems on the way wrote down."""
    return tuple(sender.address for sender in addresses.every(headers, *ENVELOPE))


def recipient(headers: Headers, ours: Sequence[str]) -> str:
    """The first of our addresses it was written to; our first one if it names none (Bcc, a list, a forward)."""
    known = {address.lower(): address for address in ours}
    for sender in addresses.every(headers, *ENVELOPE, *VISIBLE):
        found = known.get(_untagged(sender.address))
        if found:
            return found
    return ours[0] if ours else ""


def reply_tokens(headers: Headers, ours: Sequence[str]) -> tuple[str, ...]:
    """Every token on one of our addresses, lower case as local parts often arrive, in the order of trust."""
    known = {address.lower() for address in ours}
    tokens: dict[str, None] = {}
    for sender in addresses.every(headers, *ENVELOPE, *VISIBLE):
        address = sender.address.lower()
        tag = _TOKEN.fullmatch(address.rpartition("@")[0].partition("+")[2])
        if tag and _untagged(address) in known:
            tokens[tag[1]] = None
    return tuple(tokens)


def is_ours(address: str, ours: Sequence[str]) -> bool:
    """With or without a `+tag`, in any case."""
    return _untagged(address) in {known.lower() for known in ours}


def _untagged(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
