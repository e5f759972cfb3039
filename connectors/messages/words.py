"""Channels, and the few words that every message is described with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Channel(StrEnum):
    """Where a customer writes. The values are stored, and are the names of the CSS token groups."""

    EMAIL = "email"
    SMS = "sms"
    INSTAGRAM = "instagram"
    WHATSAPP = "whatsapp"


@dataclass(frozen=True, slots=True)
class ChannelWords:
    """How agents speak of a channel: its name, inside a sentence, one message from there, one of ours to there."""

    name: str
    inside: str
    message: str
    ours: str


CHANNEL_WORDS = {
    Channel.EMAIL: ChannelWords("Email", "email", "email", "email"),
    Channel.SMS: ChannelWords("SMS", "SMS", "text", "SMS"),
    Channel.INSTAGRAM: ChannelWords("Instagram", "Instagram", "Instagram message", "Instagram message"),
    Channel.WHATSAPP: ChannelWords("WhatsApp", "WhatsApp", "WhatsApp message", "WhatsApp message"),
}


class Classification(StrEnum):
    """Only `PERSON` opens, reopens or wakes a case; the rest is filed."""

    PERSON = "person"
    AUTOMATIC = "automatic"
    BULK = "bulk"
    SPAM = "spam"
    BOUNCE = "bounce"


class Authenticity(StrEnum):
    """Whether the provider vouches for the sender of this one message."""

    PASS = "pass"  # noqa: S105
    UNKNOWN = "unknown"
    FAIL = "fail"


class DeliveryStatus(StrEnum):
    """How far an outgoing message got, as a provider reports it."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class OptOutAction(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    UNSUBSCRIBE = "unsubscribe"  # from what is sent by itself; a person may still answer


@dataclass(frozen=True, slots=True)
class Account:
    """One configured connector as a value: what an adapter needs to speak for it.

    `secrets` and `options` have the keys the adapter's module docstring lists. `webhook_url` is the public URL the
    provider signs; it comes from settings, never from the Host header.
    """

    id: str
    addresses: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str = ""
