"""The Message-IDs we give our own mail: made before the first try, the same on each retry, recognisable for ever."""

from __future__ import annotations

import hmac
import re
from uuid import UUID

OWN_FIELD = "x-throughline-id"  # the same once more: some servers give our mail a Message-ID of their own

_OURS = re.compile(r"t\.([0-9a-f]{32})\.([0-9a-f]{32})@([^\s<>@]+)")


def message_id(entry_uuid: str, secret: bytes, domain: str) -> str:
    """`t.<entry>.<128 bit HMAC>@<domain>`, without angle brackets. The domain is that of the mailbox's address."""
    entry = UUID(entry_uuid).hex
    return f"t.{entry}.{_mark(entry, seal(secret))}@{domain.lower()}"


def is_ours(message_id: str, secret: bytes) -> str | None:
    """The entry's uuid if we made this Message-ID. The domain is not sealed: gateways rewrite it."""
    return is_sealed(message_id, seal(secret))


def seal(secret: bytes) -> bytes:
    """The key for Message-IDs alone, so that the parser child need not know the secret it comes from."""
    return hmac.digest(secret, b"message-id", "sha256")


def is_sealed(message_id: str, seal: bytes) -> str | None:
    """As `is_ours`, by the derived key."""
    found = _OURS.fullmatch(message_id.strip("<> ").lower())
    if found is None or not hmac.compare_digest(found[2], _mark(found[1], seal)):
        return None
    return str(UUID(found[1]))


def looks_like_ours(message_id: str) -> bool:
    return _OURS.fullmatch(message_id.lower()) is not None


def _mark(entry: str, seal: bytes) -> str:
    return hmac.digest(seal, entry.encode(), "sha256").hex()[:32]
