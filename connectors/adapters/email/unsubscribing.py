"""Unsubscribing by mail (RFC 2369) from what is sent by itself. The subject seals which mail of ours is meant, so that
nobody can unsubscribe anybody else; whatever address it comes from, whoever has it got that mail."""

from __future__ import annotations

import hmac
import re
from uuid import UUID

_ASKED = re.compile(r"\bunsubscribe[ +]u\.([0-9a-f]{32})\.([0-9a-f]{32})\b")


def subject(delivery: str, seal: bytes) -> str:
    """What the subject of such a mail has to be. `delivery` is our uuid, `seal` as in `message_id`."""
    ours = UUID(delivery).hex
    return f"unsubscribe u.{ours}.{_mark(ours, seal)}"


def asked(subject: str, seal: bytes) -> str:
    """The uuid of the delivery after which its recipient wants no more; empty when nothing of that is asked."""
    found = _ASKED.search(subject.lower())
    if found is None or not hmac.compare_digest(found[2], _mark(found[1], seal)):
        return ""
    return str(UUID(found[1]))


def _mark(delivery: str, seal: bytes) -> str:
    return hmac.digest(seal, b"unsubscribe " + delivery.encode(), "sha256").hex()[:32]
