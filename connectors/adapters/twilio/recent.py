"""Messages as Twilio lists them, told as the webhook that should have come (twilio.md §3): it never repeats one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from connectors.adapters.twilio.client import NO_ANSWER, REFUSED, client_of, refusal
from connectors.adapters.twilio.listing import Listing
from connectors.adapters.twilio.parse import FOUND
from connectors.adapters.twilio.send import TRIAL_PREFIX
from connectors.errors import ConnectionLost, SendFailed
from connectors.messages import Account, Heard, Known, Missed

PAGE = 1_000
MOST_SENT = 2_000  # a number that campaigns are sent from has any number of messages
SETTLED = timedelta(minutes=2)  # younger ones of ours may be on their way through our own hands
ARRIVED = {"sent", "delivered", "read", "partially_delivered"}
CAMPAIGN_OF = 3  # so many people got the same words

CODE = re.compile(
    r"\b(code|otp|passcode|pin|2fa|verif\w+)\b.*\d{4,8}|\d{4,8}.*\b(code|otp|passcode|pin)\b", re.I | re.S
)
FOOTER = re.compile(r"\b(reply|text|txt)\s+\W?(stop|end|quit)\b|\bopt[ -]?out\b|\bunsubscribe\b", re.I)


def recent(account: Account, since: datetime, known: Known, prefix: str = "") -> Heard:
    """What came to and left from our numbers since then, oldest first. Raises `ConnectionLost`."""
    try:
        client = client_of(account)
        found = [(each, False) for each in _received(client, account, since, prefix)]
        found += _sent(client, account, since, prefix)
        found.sort(key=lambda each: _at(each[0]))
    except SendFailed as error:  # no credentials
        raise ConnectionLost(error.reason, reconnect=error.reconnect) from error
    except REFUSED as error:
        refused = refusal(error, None)
        dead = isinstance(refused, SendFailed) and refused.reconnect
        raise ConnectionLost(refused.reason, reconnect=dead) from error
    except NO_ANSWER as error:
        raise ConnectionLost("Twilio could not be asked for its latest messages.", reconnect=_is_no(error)) from error
    here = set(known([str(each.sid) for each, _ in found]))
    listing = Listing()
    return Heard([_missed(account, each, automatic, listing) for each, automatic in found if each.sid not in here])


def _is_no(error: Exception) -> bool:
    """The SDK's lists say in a bare exception, with the answer behind the words, that our credentials are refused."""
    answer = error.args[1] if len(error.args) > 1 else None
    return getattr(answer, "status_code", 0) in (401, 403)


def _received(client: Client, account: Account, since: datetime, prefix: str) -> Iterator[MessageInstance]:
    for address in account.addresses:
        listed = client.messages.stream(to=prefix + address, date_sent_after=since.astimezone(UTC), page_size=PAGE)
        yield from (each for each in listed if each.direction == "inbound" and each.status == "received")


def _sent(client: Client, account: Account, since: datetime, prefix: str) -> list[tuple[MessageInstance, bool]]:
    """What arrived of ours, and whether a program wrote it."""
    listed: list[MessageInstance] = []
    for address in account.addresses:
        listed += client.messages.stream(
            from_=prefix + address, date_sent_after=since.astimezone(UTC), page_size=PAGE, limit=MOST_SENT
        )
    ours = [each for each in listed if str(each.direction or "").startswith("outbound")]
    people = _people_by_words(ours)
    settled = [each for each in ours if each.status in ARRIVED and _at(each) < datetime.now(UTC) - SETTLED]
    return [(each, _is_automatic(account, each, len(people[_words(each)]))) for each in settled]


def _people_by_words(messages: Iterable[MessageInstance]) -> dict[str, set[str]]:
    people: dict[str, set[str]] = defaultdict(set)
    for each in messages:
        people[_words(each)].add(each.to or "")
    return people


def _words(message: MessageInstance) -> str:
    """The end of the text without its numbers: campaigns differ in a name at the start, notices in an order number."""
    return re.sub(r"\d+", "0", " ".join((message.body or "").casefold().split()))[-60:]


def _is_automatic(account: Account, message: MessageInstance, people: int) -> bool:
    """Twilio does not tell who wrote: programs are known by their words. `people`: how many were sent the same."""
    text = message.body or ""
    return (
        message.direction == "outbound-reply"  # Twilio's own answer to STOP and HELP
        or bool(account.options.get("other_programs"))
        or bool(CODE.search(text) or FOOTER.search(text))
        or (bool(text.strip()) and people >= CAMPAIGN_OF)
    )


def _at(message: MessageInstance) -> datetime:
    return message.date_sent or message.date_created or datetime.now(UTC)


def _missed(account: Account, message: MessageInstance, automatic: bool, listing: Listing) -> Missed:
    is_ours = message.direction != "inbound"
    fields = {
        "MessageSid": message.sid or "",
        "AccountSid": message.account_sid or account.secrets.get("account_sid", ""),
        "From": message.from_ or "",
        "To": message.to or "",
        "Body": (message.body or "").removeprefix(TRIAL_PREFIX if is_ours else ""),
        "SmsStatus": str(message.status or ""),
        "Direction": str(message.direction or ""),
        "DateSent": _at(message).isoformat(),
    }
    if automatic:
        fields["Automatic"] = "yes"
    files = [] if is_ours and automatic else listing.files(message)
    fields["NumMedia"] = str(len(files))
    for number, (url, content_type) in enumerate(files):
        fields[f"MediaUrl{number}"], fields[f"MediaContentType{number}"] = url, content_type
    return Missed(fields["MessageSid"], urlencode(fields).encode(), {FOUND: "twilio"}, _at(message))
