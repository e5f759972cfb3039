"""A webhook of Meta's: envelopes, entries and items, each looped, none able to spoil another (instagram.md §6)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from connectors.adapters.instagram.fields import Fields, Unreadable, part, text
from connectors.adapters.instagram.items import Place, item
from connectors.messages import Ignored, Item, Malformed, RawInput

TEST_ENTRY = "0"  # the dashboard's "Test" button
ITEM_FIELDS = {
    "messages",
    "message_echoes",
    "messaging_postbacks",
    "message_reactions",
    "messaging_reactions",
    "messaging_referral",
    "messaging_referrals",
    "messaging_seen",
    "message_edit",
    "message_edits",
    "messaging_optins",
    "messaging_handover",
}
OTHER_FIELDS = {"comments", "live_comments", "mentions", "story_insights"}


def items(raw: RawInput) -> list[Item]:
    """Everything in the body, in order. Meta posts several accounts to one URL; each item names its recipient."""
    try:
        document = json.loads(raw.body)
    except (ValueError, RecursionError):
        return [Malformed("It is not JSON.", raw.body[:500].decode("ascii", "backslashreplace").replace("\0", "\\x00"))]
    # Some pages of the documentation wrap the envelope in a list.
    envelopes = document if isinstance(document, list) else [document]
    return [found for envelope in envelopes for found in _envelope(envelope)] or [
        Ignored(kind="empty", reason="There was nothing in it.")
    ]


def _envelope(envelope: object) -> Iterator[Item]:
    if not isinstance(envelope, dict):
        yield _malformed("It is not an object.", envelope)
    elif text(envelope, "object") not in {"instagram", ""}:
        yield Ignored(kind="other object", reason=f"It is about “{text(envelope, 'object')[:40]}”, not Instagram.")
    elif not isinstance(envelope.get("entry"), list):
        yield _malformed("It has no list of entries.", envelope)
    else:
        for entry in envelope["entry"]:
            yield from _entry(entry)


def _entry(entry: object) -> Iterator[Item]:
    if not isinstance(entry, dict):
        yield _malformed("One of its entries is not an object.", entry)
        return
    entry_id = text(entry, "id")
    if entry_id == TEST_ENTRY:
        yield Ignored(kind="dashboard test", reason="Somebody pressed “Test” in Meta's dashboard.")
        return
    known = False
    for name in ("messaging", "standby"):
        if name in entry:
            known = True
            yield from _list(entry[name], Place(entry_id, is_standby=name == "standby"), name)
    if "changes" in entry:
        known = True
        changes = entry["changes"]
        if not isinstance(changes, list):
            yield _malformed("Its “changes” are not a list.", entry)
        for change in changes if isinstance(changes, list) else ():
            yield _change(change, entry_id)
    if "field" in entry:
        known = True
        yield _change(entry, entry_id)
    if not known:
        yield _malformed("An entry holds nothing we know.", entry)


def _list(values: object, place: Place, name: str) -> Iterator[Item]:
    if not isinstance(values, list):
        yield _malformed(f"Its “{name}” is not a list.", values)
        return
    for value in values:
        yield _item(value, place)


def _change(change: object, entry_id: str) -> Item:
    """`{"field", "value"}`: the other way Meta has of saying the same."""
    if not isinstance(change, dict):
        return _malformed("One of its changes is not an object.", change)
    field = text(change, "field")
    if field in OTHER_FIELDS:
        return Ignored(kind=field, reason="Comments, mentions and insights are not handled here.")
    if field == "standby":
        return _item(part(change, "value"), Place(entry_id, is_standby=True))
    if field in ITEM_FIELDS:
        return _item(change.get("value"), Place(entry_id))
    return _malformed(f"A change of a kind we do not know: {field[:40] or 'without a name'}.", change)


def _item(value: object, place: Place) -> Item:
    if not isinstance(value, dict):
        return _malformed("One of its items is not an object.", value)
    try:
        return item(value, place)
    except Unreadable as error:
        return _malformed(str(error), value)


def _malformed(reason: str, value: Fields | object) -> Malformed:
    return Malformed(reason, excerpt=json.dumps(value)[:500])
