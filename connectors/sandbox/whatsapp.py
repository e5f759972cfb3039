"""WhatsApp's side of Twilio: addresses with its prefix, an id for who hides the number, a window of 24 hours."""

from __future__ import annotations

import hashlib
import json

from connectors.sandbox.people import People, Person

PREFIX = "whatsapp:"
WINDOW = 24 * 3600  # seconds


def is_whatsapp(address: str) -> bool:
    return address.startswith(PREFIX)


def hidden_id(person: Person) -> str:
    """What a business is told instead of the number; always the same for the same person."""
    return f"US.{int(hashlib.sha256(person.phone.encode()).hexdigest()[:14], 16)}"


def number_of(address: str, people: People) -> str:
    """The number behind an address with or without prefix; of a hidden one too, if we know whose it is."""
    bare = address.removeprefix(PREFIX)
    if not bare.startswith("US."):
        return bare
    return next((person.phone for person in people.everybody if person.phone and hidden_id(person) == bare), "")


def parameters(person: Person | None, files: list[str]) -> dict[str, str]:
    """What a webhook says of a WhatsApp message beyond what it says of a text."""
    if person is None:
        return {}
    kind = files[0].partition("/")[0] if files else "text"
    data = {"context": {"ProfileName": person.name}}
    return {
        "ProfileName": person.name,
        "MessageType": kind if kind in ("image", "audio", "video", "text") else "document",
        "ExternalUserId": hidden_id(person),
        "ChannelMetadata": json.dumps({"type": "whatsapp", "data": data}),
    }
