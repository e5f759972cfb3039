"""Twilio's side of SMS, MMS and WhatsApp: what a texter's message sets off, and who may be texted.

The HTTP face is twilio_rest.py.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from connectors.sandbox.config import Config, Connector, is_loopback
from connectors.sandbox.faults import Faults
from connectors.sandbox.people import People, Person
from connectors.sandbox.store import Store, StoredFile
from connectors.sandbox.twilio_errors import MAGIC, TwilioError
from connectors.sandbox.webhooks import Answer, FileUnreachable, Webhooks
from connectors.sandbox.whatsapp import PREFIX, WINDOW, hidden_id, is_whatsapp, number_of, parameters
from connectors.sandbox.wire import Wire

E164 = re.compile(r"\+[1-9]\d{6,14}")
STOP = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
START = {"start", "unstop", "yes"}
HELP = {"help", "info"}
STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
STARTED = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWO = set("^{}\\[]~|€\f")


@dataclass(slots=True)
class Text:
    """One SMS or MMS. `direction` is Twilio's: inbound, outbound-api or outbound-reply."""

    sid: str
    account_sid: str
    sender: str
    recipient: str
    body: str
    direction: str
    status: str
    created: float
    media: list[dict[str, str]] = field(default_factory=list)
    callback: str = ""
    error_code: int | None = None
    error_message: str | None = None
    read: bool = False

    @property
    def is_outbound(self) -> bool:
        return self.direction != "inbound"

    @property
    def customer(self) -> str:
        return self.recipient if self.is_outbound else self.sender


def number_sid(number: str) -> str:
    return f"PN{number.lstrip('+'):0>32}"


def segments(body: str) -> int:
    """How many parts a body is sent in: 160/153 septets in GSM-7, 70/67 UTF-16 units otherwise."""
    if all(character in GSM or character in GSM_TWO for character in body):
        units, single, part = sum(2 if character in GSM_TWO else 1 for character in body), 160, 153
    else:
        units, single, part = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= single else -(-units // part)


class Twilio:
    def __init__(
        self, config: Config, people: People, store: Store, webhooks: Webhooks, faults: Faults, wire: Wire
    ) -> None:
        self.config, self.people, self.store = config, people, store
        self.webhooks, self.faults, self.wire = webhooks, faults, wire
        self.connectors = {connector.address: connector for connector in config.of_kind("sms")}
        self.connectors |= {PREFIX + connector.address: connector for connector in config.of_kind("whatsapp")}
        self.texts: dict[str, Text] = {}
        self.threads: dict[str, list[Text]] = {}
        for value in store.all("text"):
            self._file(Text(**value))
        self.stopped = {(value[0], value[1]) for value in store.all("stopped")}

    def token(self, account_sid: str) -> str | None:
        tokens = (one.auth_token for one in self.connectors.values() if one.account_sid == account_sid)
        return next(tokens, None)

    def _file(self, text: Text) -> None:
        if text.sid not in self.texts:
            self.texts[text.sid] = text
            self.threads.setdefault(self._thread_of(text.customer), []).append(text)

    def _thread_of(self, address: str) -> str:
        """Texts and WhatsApp messages of a number are two threads; who hides the number has one."""
        return (PREFIX if is_whatsapp(address) else "") + number_of(address, self.people)

    def keep(self, text: Text) -> None:
        self._file(text)
        self.store.put("text", text.sid, asdict(text))
        person = self.people.by_phone(number_of(text.customer, self.people))
        if person is not None:
            channel = "whatsapp" if is_whatsapp(text.customer) else "sms"
            self.wire.announce("thread", person=person.id, channel=channel)

    def call_at(self, account_sid: str, sid: str, url: str) -> str:
        """Somebody enters a webhook address at one of their numbers, which is returned. Raises TwilioError."""
        for number, connector in self.connectors.items():
            if connector.kind == "sms" and connector.account_sid == account_sid and number_sid(number) == sid:
                if not is_loopback(urlsplit(url).hostname or ""):
                    raise TwilioError(21502, url)
                self.connectors[number] = replace(connector, webhook_url=url)
                return number
        raise TwilioError(20404, sid)

    async def receive(
        self, connector: Connector, sender: str, body: str, files: list[StoredFile], age: float = 0
    ) -> tuple[Text, Answer]:
        """Somebody texts one of our numbers: the webhook, and Twilio's own answer to STOP, START and HELP."""
        sid = ("MM" if files else "SM") + secrets.token_hex(16)
        media = [{"sid": "ME" + secrets.token_hex(16), "file": file.id, "type": file.content_type} for file in files]
        ours = (PREFIX if is_whatsapp(sender) else "") + connector.address
        connector = self.connectors.get(ours, connector)  # its webhook may have been entered since
        text = Text(sid, connector.account_sid, sender, ours, body, "inbound", "received", time.time() - age, media)
        self.keep(text)
        keyword = body.strip().lower() if not is_whatsapp(sender) else ""
        self._mind(connector, sender, keyword)
        answer = await self.webhooks.twilio(connector, connector.webhook_url, self._announcement(text), "POST webhook")
        if keyword not in STOP | START | HELP:
            self._reply_from_webhook(connector, sender, answer)
        return text, answer

    def _announcement(self, text: Text) -> dict[str, str]:
        us = text.sender.startswith("+1")
        announced = {
            "ToCountry": "US",
            "ToState": "CA",
            "ToCity": "",
            "ToZip": "",
            "FromCountry": "US" if us else "",
            "FromState": "CA" if us else "",
            "FromCity": "SAN FRANCISCO" if us else "",
            "FromZip": "94107" if us else "",
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "MessageSid": text.sid,
            "SmsStatus": "received",
            "AccountSid": text.account_sid,
            "From": text.sender,
            "To": text.recipient,
            "Body": text.body,
            "NumMedia": str(len(text.media)),
            "NumSegments": str(max(segments(text.body), len(text.media))),
            "ApiVersion": "2010-04-01",
        }
        for number, media in enumerate(text.media):
            path = f"/2010-04-01/Accounts/{text.account_sid}/Messages/{text.sid}/Media/{media['sid']}"
            announced[f"MediaUrl{number}"] = self.config.base_url + path
            announced[f"MediaContentType{number}"] = media["type"]
        if is_whatsapp(text.sender):
            person = self.people.by_phone(number_of(text.sender, self.people))
            announced |= parameters(person, [media["type"] for media in text.media])
            if text.sender.startswith(f"{PREFIX}+"):
                announced["WaId"] = text.sender.removeprefix(f"{PREFIX}+")
        return announced

    def _mind(self, connector: Connector, sender: str, keyword: str) -> None:
        pair = (connector.address, sender)
        if keyword in STOP:
            self.stopped.add(pair)
            self.store.put("stopped", "|".join(pair), pair)
            self._speak(connector, sender, STOPPED)
        elif keyword in START and (pair in self.stopped or keyword != "yes"):
            self.stopped.discard(pair)
            self.store.drop("stopped", "|".join(pair))
            self._speak(connector, sender, STARTED)
        elif keyword in HELP:
            self._speak(connector, sender, HELPED)

    def _speak(self, connector: Connector, recipient: str, body: str) -> None:
        """Twilio itself texts the customer, in our name."""
        sid = "SM" + secrets.token_hex(16)
        ours = (PREFIX if is_whatsapp(recipient) else "") + connector.address
        text = Text(sid, connector.account_sid, ours, recipient, body, "outbound-reply", "delivered", time.time())
        self.keep(text)

    def _reply_from_webhook(self, connector: Connector, sender: str, answer: Answer) -> None:
        """Twilio texts the customer whatever the webhook answers as text or TwiML; anything else is an error there."""
        body = answer.body.strip()
        if not answer.ok or not body:
            return
        if answer.content_type == "text/plain":
            self._speak(connector, sender, body)
        elif answer.content_type in ("text/xml", "application/xml"):
            try:
                replies = ElementTree.fromstring(body).iter("Message")  # noqa: S314 (loopback, our own product)
                for reply in replies:
                    self._speak(connector, sender, "".join(reply.itertext()).strip())
            except ElementTree.ParseError:
                self.wire.log("twilio", "product", "error 12100", "the answer is not TwiML", ok=False)
        else:
            self.wire.log("twilio", "product", "error 12300", f"cannot read {answer.content_type}", ok=False)

    def accept(self, account_sid: str, form: dict[str, list[str]]) -> Text:
        """Take a message to send, or raise the `TwilioError` the real one answers."""

        def value(name: str) -> str:
            return form.get(name, [""])[0]

        sender, recipient, body = value("From"), value("To"), value("Body")
        media_urls, callback = form.get("MediaUrl", []), value("StatusCallback")
        if not recipient:
            raise TwilioError(21604)
        if not sender:
            raise TwilioError(21603)
        if not E164.fullmatch(number_of(recipient, self.people)):
            raise TwilioError(21211, recipient)
        if recipient in MAGIC:
            raise TwilioError(MAGIC[recipient], recipient)
        if not E164.fullmatch(sender.removeprefix(PREFIX)):
            raise TwilioError(21212, sender)
        if is_whatsapp(sender) != is_whatsapp(recipient):
            raise TwilioError(21910, recipient)
        connector = self.connectors.get(sender)
        if connector is None or connector.account_sid != account_sid:
            raise TwilioError(21606, sender)
        if sender == recipient:
            raise TwilioError(21266, recipient)
        if not body and not media_urls:
            raise TwilioError(21619)
        if len(body) > 1600:
            raise TwilioError(21617)
        if len(media_urls) > 10:
            raise TwilioError(21623)
        for url in media_urls:
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise TwilioError(21620, url)
        if callback and not is_loopback(urlsplit(callback).hostname or ""):
            raise TwilioError(21609, callback)
        if (sender, recipient) in self.stopped:
            raise TwilioError(21610)
        self.people.meet(phone=number_of(recipient, self.people))
        sid = ("MM" if media_urls else "SM") + secrets.token_hex(16)
        text = Text(sid, account_sid, sender, recipient, body, "outbound-api", "queued", time.time(), callback=callback)
        text.media = [{"sid": "ME" + secrets.token_hex(16), "url": url, "file": "", "type": ""} for url in media_urls]
        self.keep(text)
        self.webhooks.later(self._carry(connector, text))
        return text

    async def _carry(self, connector: Connector, text: Text) -> None:
        """From queued to the phone, with a callback for every step."""
        ending = "delivered"
        if self.faults.take("twilio", "undelivered") is not None:
            ending, text.error_code, text.error_message = "undelivered", 30006, "Landline or unreachable carrier"
        if is_whatsapp(text.recipient) and not self._may_answer(text):
            ending, text.error_code, text.error_message = "undelivered", 63016, "Outside the allowed window"
        try:
            await self._load_media(text)
        except FileUnreachable as error:
            self.wire.log("twilio", "product", "GET media", str(error), ok=False)
            ending, text.error_code, text.error_message = "failed", 11200, "HTTP retrieval failure"
        steps = ["queued", "failed"] if ending == "failed" else ["queued", "sent", ending]
        disorder = self.faults.take("webhooks", "out_of_order_status") or self.faults.take(
            "twilio", "out_of_order_status"
        )
        for step in reversed(steps) if disorder is not None else steps:
            await asyncio.sleep(self.config.status_delay)
            text.status = ending if disorder is not None else step
            self.keep(text)
            if text.callback:
                await self.webhooks.twilio(connector, text.callback, self._status(text, step), f"POST status {step}")

    def _may_answer(self, text: Text) -> bool:
        """On WhatsApp: 24 hours after they last wrote to this number of ours."""
        thread = self.threads.get(self._thread_of(text.recipient), [])
        written = [one.created for one in thread if not one.is_outbound and one.recipient == text.sender]
        return bool(written) and time.time() - max(written) < WINDOW

    async def _load_media(self, text: Text) -> None:
        for media in text.media:
            content, content_type = await self.webhooks.fetch(media["url"])
            media["type"] = content_type
            name = urlsplit(media["url"]).path.rpartition("/")[2]
            media["file"] = self.store.add_file(content, content_type, name).id
            self.wire.log("twilio", "product", "GET media", "200", content_type, f"{len(content) // 1024} KB")

    def _status(self, text: Text, step: str) -> dict[str, str]:
        told = {
            "SmsSid": text.sid,
            "SmsStatus": step,
            "MessageStatus": step,
            "To": text.recipient,
            "MessageSid": text.sid,
            "AccountSid": text.account_sid,
            "From": text.sender,
            "ApiVersion": "2010-04-01",
        }
        if is_whatsapp(text.recipient):
            told |= {"ChannelPrefix": "whatsapp", "EventType": step.upper()}
        elif step == "delivered":
            told["RawDlrDoneDate"] = datetime.now(UTC).strftime("%y%m%d%H%M")
        if step in ("failed", "undelivered") and text.error_code:
            told["ErrorCode"] = str(text.error_code)
            told["ErrorMessage"] = text.error_message or ""
        return told

    def thread(self, number: str) -> list[dict[str, Any]]:
        """What the owner of this number has on the phone, oldest first; with the prefix, in WhatsApp."""
        shown = []
        for text in sorted(self.threads.get(number, []), key=lambda one: one.created):
            if text.is_outbound and text.status not in ("delivered", "sent", "read"):
                continue
            shown.append(
                {
                    "id": text.sid,
                    "direction": "received" if text.is_outbound else "sent",
                    "from": text.sender,
                    "to": text.recipient,
                    "text": text.body,
                    "at": datetime.fromtimestamp(text.created, UTC).isoformat(timespec="milliseconds"),
                    "read": text.read or not text.is_outbound,
                    "hidden": text.sender.startswith(f"{PREFIX}US."),
                    "files": [{"url": f"/files/{one['file']}", "type": one["type"]} for one in text.media],
                }
            )
        return shown

    async def read(self, number: str) -> Answer | None:
        """They look at the thread. WhatsApp tells us, SMS does not."""
        answer = None
        for text in list(self.threads.get(number, [])):
            if text.is_outbound and not text.read:
                text.read = True
                if is_whatsapp(number) and text.status == "delivered" and text.callback:
                    text.status = "read"
                    answer = await self.webhooks.twilio(
                        self.connectors[text.sender], text.callback, self._status(text, "read"), "POST status read"
                    )
                self.keep(text)
        return answer

    def address_of(self, person: Person, *, hidden: bool) -> str:
        """What a business sees of them on WhatsApp."""
        return PREFIX + (hidden_id(person) if hidden else person.phone)
