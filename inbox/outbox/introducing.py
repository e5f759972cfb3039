"""The first text in a case says who writes: to the customer we are a number like any other."""

from __future__ import annotations

from connectors.adapters import ADAPTERS
from connectors.messages import Channel
from inbox.models import Case
from inbox.outbox.ways import Option


def introduction(case: Case, option: Option) -> str:
    """What the text is to begin with, as 'Northwind: '; empty where they know us, or nobody said how we are called."""
    name = option.connector.options.get("from_name", "")
    if not name or not ADAPTERS[Channel(option.channel)].limits.introduces_us:
        return ""
    written = case.timeline().filter(identity=option.identity, channel=option.channel)
    return "" if written.that_left().exists() else f"{name}: "


def introduced(case: Case, option: Option, text: str) -> str:
    """The text as it leaves. Who has named us in it already is not corrected."""
    opening = introduction(case, option)
    if not text or not opening or opening.rstrip(": ").casefold() in text.casefold():
        return text
    return opening + text
