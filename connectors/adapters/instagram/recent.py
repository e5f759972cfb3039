"""What Meta may have failed to tell: the newest messages of every conversation, as webhooks (instagram.md §8)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import requests

from connectors.adapters.instagram import subscription
from connectors.adapters.instagram.errors import lost
from connectors.adapters.instagram.fields import Fields, link, part, parts, text
from connectors.adapters.instagram.graph import call
from connectors.errors import ConnectionLost
from connectors.messages import MOST_TRIES, Account, Heard, Missed, Skipped

log = logging.getLogger(__name__)

PAGE, MOST_PAGES = 50, 20  # a thousand conversations that changed while we were away
PAUSE_SECONDS = 0.5  # two calls a second per account
FIELDS = "id,created_time,from,to,message,attachments,shares,story,reply_to,is_unsupported"
ABOUT_ALL = {4, 17, 32, 613, 80002, 190}  # asked too much, or not signed in
MOST_IN_A_ROW = 3
SILENT = "Instagram did not answer when asked for recent messages."
FILES = {"image_data": "image", "video_data": "video"}


class NotShown(Exception):
    """This conversation; the next one may be."""

    def __init__(self, error: ConnectionLost) -> None:
        super().__init__(error.reason)
        self.error = error


def recent(account: Account, since: datetime, skipped: Sequence[Skipped] = ()) -> Heard:
    """Oldest first. Meta hands out the 20 newest of a conversation; older ones read as deleted.

    And sees to it that the next ones are told of; what stands in the way of that, the live test says.
    """
    with suppress(ConnectionLost):
        subscription.keep(account)
    before = {each.name: each for each in skipped}
    left, found, in_a_row, trouble = dict(before), list[Missed](), 0, None
    try:
        for name in _names(account, since, before):
            known = before.get(name)
            begin = min(since, known.since) if known else since
            try:
                found += _missed_in(account, name, begin)
            except NotShown as refusal:
                left[name] = Skipped(name, begin, refusal.error.reason, known.tries + 1 if known else 1)
                log.warning("%s does not show conversation %s: %s", account.addresses[0], name, refusal)
                in_a_row += not known
                if in_a_row == MOST_IN_A_ROW:  # it is about all of them
                    raise refusal.error from refusal
            else:
                in_a_row = 0
                left.pop(name, None)
    except ConnectionLost as error:
        if not found and left == before:
            raise
        trouble = error
    return Heard(sorted(found, key=_written), list(left.values()), trouble)


def _written(missed: Missed) -> datetime:
    assert missed.at is not None
    return missed.at


def _names(account: Account, since: datetime, before: Mapping[str, Skipped]) -> Iterator[str]:
    """Conversations to be asked for. Those that were not shown before come last, so that they stand in nobody's way."""
    again = [name for name, each in before.items() if each.tries < MOST_TRIES]
    for name in _conversations(account, since):
        if name not in before:
            yield name
        elif name not in again:
            again.append(name)
    yield from again


def _missed_in(account: Account, conversation: str, since: datetime) -> list[Missed]:
    """Raises `NotShown`, or `ConnectionLost` for what is not about this conversation."""
    time.sleep(PAUSE_SECONDS)
    try:
        answer = call(account, "GET", conversation, query={"fields": f"messages{{{FIELDS}}}"})
    except requests.RequestException as error:
        raise NotShown(ConnectionLost(SILENT)) from error
    if not answer.is_ok and (answer.code in ABOUT_ALL or answer.status in (401, 429)):
        raise lost(answer)
    if not answer.is_ok:
        raise NotShown(lost(answer))
    listed = parts(part(answer.body, "messages").get("data"))
    written = ((each, at) for each in listed if (at := _moment(each, "created_time")) and at >= since)
    return [missed for each, at in written if (missed := _missed(account, each, at))]


def _conversations(account: Account, since: datetime) -> Iterator[str]:
    """Those that changed since then, the newest first, page by page until nothing on one did."""
    query = {"platform": "instagram", "limit": str(PAGE)}
    for _ in range(MOST_PAGES):
        body = _get(account, "me/conversations", "id,updated_time", **query)
        news = [each for each in parts(body.get("data")) if text(each, "id") and _changed(each, since)]
        yield from (text(each, "id") for each in news)
        paging = part(body, "paging")
        query["after"] = text(part(paging, "cursors"), "after")
        if not news or not query["after"] or not text(paging, "next"):
            return


def _changed(conversation: Fields, since: datetime) -> bool:
    updated = _moment(conversation, "updated_time")
    return updated is None or updated >= since - timedelta(seconds=1)


def _missed(account: Account, listed: Fields, at: datetime) -> Missed | None:
    mid, sender = text(listed, "id"), part(listed, "from")
    recipient = next(iter(parts(part(listed, "to").get("data"))), {})
    from_us = _is_us(sender, account)
    person = recipient if from_us else sender
    if not mid or not text(person, "id") or (from_us and _is_us(recipient, account)):
        return None
    message: dict[str, Any] = {"mid": mid, **_content(listed)}
    if from_us:
        message["is_echo"] = True
    ours = {"id": account.addresses[0]}
    them = {name: text(person, name) for name in ("id", "username") if text(person, name)}
    item = {
        "sender": ours if from_us else them,
        "recipient": them if from_us else ours,
        "timestamp": round(at.timestamp() * 1000),
        "message": message,
    }
    entry = {"id": account.addresses[0], "time": item["timestamp"], "messaging": [item]}
    return Missed(mid, json.dumps({"object": "instagram", "entry": [entry]}).encode(), at=at)


def _content(listed: Fields) -> dict[str, Any]:
    """In the shapes of a webhook."""
    content: dict[str, Any] = {}
    if words := text(listed, "message"):
        content["text"] = words
    if attachments := [*_files(listed), *_shares(listed)]:
        content["attachments"] = attachments
    story = part(listed, "story")
    if mention := link(part(story, "mention"), "link"):
        content.setdefault("attachments", []).append({"type": "story_mention", "payload": {"url": mention}})
    if part(story, "reply_to"):
        answered = part(story, "reply_to")
        content["reply_to"] = {"story": {"id": text(answered, "id"), "url": link(answered, "link")}}
    elif text(part(listed, "reply_to"), "mid"):
        content["reply_to"] = {"mid": text(part(listed, "reply_to"), "mid")}
    if listed.get("is_unsupported") is True:
        content["is_unsupported"] = True
    return content


def _files(listed: Fields) -> Iterator[dict[str, Any]]:
    for attachment in parts(part(listed, "attachments").get("data")):
        kind = next((name for name in FILES if part(attachment, name)), "")
        url = link(part(attachment, kind)) if kind else link(attachment, "file_url")
        yield {"type": FILES.get(kind, "file"), "payload": {"url": url} if url else {}}


def _shares(listed: Fields) -> Iterator[dict[str, Any]]:
    for share in parts(part(listed, "shares").get("data")):
        yield {"type": "share", "payload": {"url": link(share, "link")}}


def _is_us(side: Fields, account: Account) -> bool:
    """Meta names our account by either of its two ids here."""
    ids = {*account.addresses, account.options.get("app_user_id", ""), account.options.get("page_id", "")} - {""}
    return text(side, "id") in ids or bool(
        (username := account.options.get("username", "")) and text(side, "username") == username
    )


def _get(account: Account, path: str, fields: str, **query: str) -> Fields:
    try:
        answer = call(account, "GET", path, query={"fields": fields, **query})
    except requests.RequestException as error:
        raise ConnectionLost(SILENT) from error
    if not answer.is_ok:
        raise lost(answer)
    return answer.body


def _moment(fields: Fields, name: str) -> datetime | None:
    try:
        return datetime.strptime(text(fields, name), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None
