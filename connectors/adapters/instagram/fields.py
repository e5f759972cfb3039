"""Reading JSON that others wrote: a wrong type reads as absent, never as an exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.adapters.text import storable

Fields = Mapping[str, Any]

FIRST_MILLISECONDS = 100_000_000_000  # smaller numbers are seconds: the year 5138 is far, 1973 is past


class Unreadable(Exception):
    """An item that cannot be understood; the message says why, as a sentence."""


def text(fields: Fields, name: str) -> str:
    """A string, or an id that came as a number; empty when absent or of another type."""
    value = fields.get(name)
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return format(value, "d") if abs(value) < 10**40 else ""
    return ""


def part(fields: Fields, name: str) -> Fields:
    """A nested object; an empty one when absent or of another type."""
    value = fields.get(name)
    return value if isinstance(value, Mapping) else {}


def parts(value: object) -> list[Fields]:
    """The objects of a list; nothing when it is no list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [entry for entry in value if isinstance(entry, Mapping)]


def is_set(fields: Fields, name: str) -> bool:
    return fields.get(name) is True


def moment(fields: Fields, name: str = "timestamp") -> datetime | None:
    """Epoch milliseconds or seconds, as number or string (instagram.md §6), in UTC."""
    value = text(fields, name)
    if not value.isdecimal() or len(value) > 16:
        return None
    number = int(value)
    seconds = number / 1000 if number >= FIRST_MILLISECONDS else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def link(fields: Fields, name: str = "url") -> str:
    """A web address; empty when it is none."""
    value = text(fields, name)
    return value if value.startswith(("https://", "http://")) else ""
