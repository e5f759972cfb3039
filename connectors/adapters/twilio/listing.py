"""Where Twilio hands out the files of a message that no webhook told of: it must be asked for them (twilio.md §8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from twilio.rest.api.v2010.account.message import MessageInstance
from twilio.rest.api.v2010.account.message.media import MediaInstance

from connectors.adapters.twilio.client import NO_ANSWER, client_of
from connectors.adapters.twilio.parse import LAYOUT, MAX_MEDIA
from connectors.errors import FetchFailed, SendFailed
from connectors.messages import Account

UNNAMED = re.compile(r"/Messages/(?P<message>\w+)/Media\.json$")


class Listing:
    """The files of one message after the other. Where Twilio does not name them, nor of those that follow, they are
    named when they are fetched: no message waits for its pictures."""

    def __init__(self) -> None:
        self.is_refused = False

    def files(self, message: MessageInstance) -> Sequence[tuple[str, str]]:
        """Address and content type of each."""
        number = min(int(message.num_media or 0), MAX_MEDIA)
        if number and not self.is_refused:
            try:
                return [(_address(each), each.content_type or "") for each in message.media.list(limit=MAX_MEDIA)]
            except NO_ANSWER:
                self.is_refused = True
        unnamed = f"{_messages(message.account_sid)}/{message.sid}/Media.json"
        return [(f"{unnamed}?number={each}", "") for each in range(number)]


def named(account: Account, url: str) -> str:
    """The address of a file that had only a number. Raises `FetchFailed`."""
    parts = urlsplit(url)
    unnamed = UNNAMED.search(parts.path)
    if unnamed is None:
        return url
    try:
        files = client_of(account).messages(unnamed["message"]).media.list(limit=MAX_MEDIA)
    except (SendFailed, *NO_ANSWER) as error:
        raise FetchFailed("Twilio does not say which files came with the message.", permanent=False) from error
    number = int(parse_qs(parts.query).get("number", ["0"])[0])
    if number >= len(files) or files[number].content_type == LAYOUT:
        raise FetchFailed("There is nothing in it to look at.", permanent=True)
    return _address(files[number])


def _address(file: MediaInstance) -> str:
    return f"{_messages(file.account_sid)}/{file.parent_sid}/Media/{file.sid}"


def _messages(account_sid: str | None) -> str:
    return f"{settings.TWILIO_API_URL.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages"
