"""What a customer does: write on any channel, read what came, take back, react. Shows only what a customer can see."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from typing import Any

from pymap.parsing.specials.flag import Seen

from connectors.sandbox import letters
from connectors.sandbox.config import Config, Connector
from connectors.sandbox.graph_api import DirectMessage, Graph
from connectors.sandbox.letters import Letter
from connectors.sandbox.mail import PostOffice
from connectors.sandbox.mailboxes import StoredMail
from connectors.sandbox.people import People, Person
from connectors.sandbox.pictures import photo
from connectors.sandbox.store import Store, StoredFile
from connectors.sandbox.twilio_api import Twilio
from connectors.sandbox.webhooks import Answer
from connectors.sandbox.whatsapp import PREFIX

MOST_PHOTOS = 10
CHANNELS = ("email", "sms", "instagram", "whatsapp")
NAMES = {"sms": "number", "whatsapp": "number", "instagram": "Instagram account"}


class Misunderstood(Exception):
    """A request that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """`answer` is None for mail: it waits to be fetched."""

    id: str
    answer: Answer | None = None
    person: str = ""  # who wrote it

    def shown(self) -> dict[str, Any]:
        status = self.answer.status if self.answer else None
        ms = self.answer.ms if self.answer else None
        return {"id": self.id, "person": self.person, "webhook_status": status, "webhook_ms": ms}


class Phone:
    def __init__(
        self, config: Config, people: People, store: Store, post_office: PostOffice, twilio: Twilio, graph: Graph
    ) -> None:
        self.config, self.people, self.store = config, people, store
        self.post_office, self.twilio, self.graph = post_office, twilio, graph
        self.read_mails: dict[str, dict[str, Any]] = {}
        self.photos_taken = 0

    def person(self, request: dict[str, Any]) -> Person:
        key = request.get("customer", "")
        person = self.people.find(key) if isinstance(key, int | str) else None
        if person is None:
            raise Misunderstood(f"There is no customer {key!r}.")
        return person

    async def say(self, request: dict[str, Any]) -> Said:
        """Write one message; the fields are those of `POST /control/say`."""
        channel, text = str(request.get("channel", "")), str(request.get("text", ""))
        if channel not in CHANNELS:
            raise Misunderstood(f"A channel is one of {', '.join(CHANNELS)}, not {channel!r}.")
        files = int(request.get("files") or 0)
        if not 0 <= files <= MOST_PHOTOS:
            raise Misunderstood(f"Between 0 and {MOST_PHOTOS} photos can be attached.")
        if not (text or files or request.get("letter") or request.get("html")):
            raise Misunderstood("There is nothing to say.")
        age = float(request.get("age_hours") or 0) * 3600
        if channel == "email":
            return self._write_mail(request, text, files)
        connector = self._ours(channel, str(request.get("to") or ""))
        person = self._writer(request, channel)
        photos = self._take_photos(files)
        if channel in ("sms", "whatsapp"):
            hidden = bool(request.get("hide_number"))
            sender = person.phone if channel == "sms" else self.twilio.address_of(person, hidden=hidden)
            sent, answer = await self.twilio.receive(connector, sender, text, photos, age)
            return Said(sent.sid, answer, person.id)
        reply_to = str(request.get("in_reply_to") or "")
        message, answer = await self.graph.receive(
            connector, person.instagram_id, text, photos, age=age, reply_to=reply_to
        )
        return Said(message.mid, answer, person.id)

    def _ours(self, channel: str, address: str) -> Connector:
        """The connector that is written to; the first of the channel unless an address is given."""
        connectors = self.config.of_kind(channel)
        chosen = [one for one in connectors if one.address == address] if address else connectors
        if not chosen:
            raise Misunderstood(f"We have no {channel} address {address}.".replace(" .", "."))
        return chosen[0]

    def _writer(self, request: dict[str, Any], channel: str) -> Person:
        """The customer, or whoever has the other address it is written from."""
        other = str(request.get("from") or "").strip()
        if other:
            stranger = self.people.meet(**{"instagram_id" if channel == "instagram" else "phone": other})
            self.twilio.wire.announce("people")
            return stranger
        person = self.person(request)
        if not (person.instagram_id if channel == "instagram" else person.phone):
            raise Misunderstood(f"{person.name} has no {NAMES[channel]}.")
        return person

    def _take_photos(self, count: int) -> list[StoredFile]:
        taken = []
        for _ in range(count):
            self.photos_taken += 1
            name = f"IMG_{2040 + self.photos_taken}.jpg"
            taken.append(self.store.add_file(photo(self.photos_taken - 1), "image/jpeg", name))
        return taken

    def _write_mail(self, request: dict[str, Any], text: str, photos: int) -> Said:
        other_name, other = parseaddr(str(request.get("from") or ""))
        person = self.people.meet(email=other, name=other_name) if other else self.person(request)
        if not person.email:
            raise Misunderstood(f"{person.name} has no e-mail address.")
        account = self.post_office.mailbox_for(person.email, person.name)
        original = self._original(request, account.address)
        now = datetime.now(UTC)
        arrived = now - timedelta(hours=float(request.get("age_hours") or 0))
        written = arrived - timedelta(hours=float(request.get("late_hours") or 0))
        fields: dict[str, Any] = {"sender": person.email, "sender_name": person.name, "headers": {}}
        fields |= {"subject": str(request.get("subject") or ""), "text": text, "html": str(request.get("html") or "")}
        if request.get("letter"):
            original = self._last_received(account.address) if request["letter"] == "out_of_office" else None
            try:
                fields |= letters.ready_made(str(request["letter"]), person.name, person.email, original)
            except ValueError as error:
                raise Misunderstood(str(error)) from error
        if original is not None:
            fields["subject"] = fields["subject"] or letters.reply_subject(original)
            fields["in_reply_to"] = letters.header(original, "Message-ID")
            fields["references"] = letters.header(original, "References") or letters.header(original, "In-Reply-To")
            if not request.get("letter"):
                fields["text"] += letters.quoted(original)
        elif request.get("in_reply_to"):
            fields["in_reply_to"] = f"<{str(request['in_reply_to']).strip('<> ')}>"
        fields["subject"] = fields["subject"] or " ".join(text.split()[:7]) or "A photo"
        fields["headers"] |= {str(name): str(value) for name, value in dict(request.get("headers") or {}).items()}
        to = str(request.get("to") or "") or (letters.reply_to(original) if original is not None else "")
        copied = request.get("cc") or []
        letter = Letter(
            **fields,
            to=(to or self._ours("email", "").address,),
            cc=tuple([copied] if isinstance(copied, str) else map(str, copied)),
            at=written,
            photos=tuple(file.path.read_bytes() for file in self._take_photos(photos)),
        )
        return self._post(letter, person, arrived, forged=bool(request.get("forged")))

    def _post(self, letter: Letter, person: Person, arrived: datetime, *, forged: bool) -> Said:
        mail = letters.compose(letter)
        recipients = [address for _, address in getaddresses([*letter.to, *letter.cc]) if address]
        for name, address in getaddresses(list(letter.cc)):
            self.post_office.mailbox_for(address, name)
        is_own = letter.sender == person.email and not forged
        self.post_office.deliver(
            mail.as_bytes(),
            letter.sender,
            recipients,
            signed_in_as=self.post_office.account(letter.sender) if is_own else None,
            verdict="fail" if forged else "pass",
            at=arrived,
        )
        return Said(letters.header(mail, "Message-ID").strip("<>"), person=person.id)

    def _original(self, request: dict[str, Any], address: str) -> EmailMessage | None:
        """The mail this one answers: the one named, or the last from us unless a subject starts a new thread."""
        wanted = str(request.get("in_reply_to") or "").strip("<> ")
        if not wanted:
            return None if request.get("subject") else self._last_received(address)
        mailboxes = self.post_office.mailbox_for(address).mailboxes
        for mail in reversed(mailboxes.inbox.mails() + mailboxes.sent.mails()):
            message = letters.read(mail.raw())
            if letters.header(message, "Message-ID").strip("<> ") == wanted:
                return message
        return None

    def _last_received(self, address: str) -> EmailMessage | None:
        for mail in reversed(self.post_office.mailbox_for(address).mailboxes.inbox.mails()):
            message = letters.read(mail.raw())
            sender = self.post_office.account(letters.reply_to(message))
            if sender is not None and sender.is_ours:
                return message
        return None

    def inbox(self, person: Person) -> dict[str, Any]:
        return {
            "person": person.shown(),
            "email": self._mails(person.email),
            "sms": self.twilio.thread(person.phone) if person.phone else [],
            "instagram": self.graph.thread(person.instagram_id) if person.instagram_id else [],
            "whatsapp": self._whatsapps(person),
        }

    def _whatsapps(self, person: Person) -> list[dict[str, Any]]:
        return self.twilio.thread(PREFIX + person.phone) if person.phone else []

    def unread(self, person: Person) -> dict[str, int]:
        account = self.post_office.in_use(person.email)
        mails = account.mailboxes.inbox.mails() if account is not None else []
        return {
            "email": sum(Seen not in mail.permanent_flags for mail in mails),
            "sms": sum(not one["read"] for one in self.twilio.thread(person.phone)) if person.phone else 0,
            "instagram": sum(not one["read"] for one in self.graph.thread(person.instagram_id))
            if person.instagram_id
            else 0,
            "whatsapp": sum(not one["read"] for one in self._whatsapps(person)),
        }

    def has_written(self, person: Person) -> bool:
        account = self.post_office.in_use(person.email)
        return (
            any(one["direction"] == "sent" for one in self._whatsapps(person))
            or any(not text.is_outbound for text in self.twilio.threads.get(person.phone, []))
            or any(one.direction == "sent" for one in self.graph.threads.get(person.instagram_id, []))
            or bool(account is not None and account.mailboxes.sent.mails())
        )

    def _mails(self, address: str) -> list[dict[str, Any]]:
        account = self.post_office.in_use(address)
        if account is None:
            return []
        shown = [self._mail(mail, "received") for mail in account.mailboxes.inbox.mails()]
        shown += [self._mail(mail, "sent") for mail in account.mailboxes.sent.mails()]
        return sorted(shown, key=lambda mail: str(mail["at"]))

    def _mail(self, mail: StoredMail, direction: str) -> dict[str, Any]:
        key = f"{mail.path.parent}/{mail.uid}"
        if key not in self.read_mails:
            self.read_mails[key] = self._opened(mail, direction)
        return self.read_mails[key] | {"read": direction == "sent" or Seen in mail.permanent_flags}

    def _opened(self, mail: StoredMail, direction: str) -> dict[str, Any]:
        message = letters.read(mail.raw())
        text, repeated = letters.split_quote(letters.body(message))
        files = []
        place = hashlib.sha256(f"{mail.path.parent}/{mail.uid}".encode()).hexdigest()[:24]
        for number, (name, content_type, content) in enumerate(letters.files(message)):
            key = f"{place}-{number}"
            file = self.store.file(key) or self.store.add_file(content, content_type, name, key)
            files.append({"url": f"/files/{file.id}", "type": content_type, "name": name})
        return {
            "id": letters.header(message, "Message-ID").strip("<>") or secrets.token_hex(8),
            "direction": direction,
            "from": letters.header(message, "From"),
            "to": letters.header(message, "To"),
            "cc": letters.header(message, "Cc"),
            "reply_to": letters.header(message, "Reply-To"),
            "in_reply_to": letters.header(message, "In-Reply-To").strip("<> "),
            "references": letters.header(message, "References"),
            "subject": letters.header(message, "Subject"),
            "text": text,
            "quoted": repeated,
            "at": mail.internal_date.astimezone(UTC).isoformat(timespec="milliseconds"),
            "files": files,
        }

    async def read(self, person: Person, channel: str) -> Answer | None:
        """The person looks at a thread. Only Instagram and WhatsApp tell us."""
        if channel == "instagram" and person.instagram_id:
            return await self.graph.see(person.instagram_id)
        if channel in ("sms", "whatsapp") and person.phone:
            return await self.twilio.read((PREFIX if channel == "whatsapp" else "") + person.phone)
        account = self.post_office.account(person.email) if channel == "email" and person.email else None
        if account is not None:
            for mail in account.mailboxes.inbox.mails():
                if Seen not in mail.permanent_flags:
                    account.mailboxes.inbox.mark_seen(mail)
        return None

    def _message(self, person: Person, id: str, direction: str) -> DirectMessage:
        thread = self.graph.threads.get(person.instagram_id, [])
        found = [one for one in thread if one.direction == direction and not one.is_unsent]
        chosen = [one for one in found if one.mid == id] if id else sorted(found, key=lambda one: one.at)[-1:]
        if not chosen:
            raise Misunderstood(f"{person.name} has no such Instagram message.")
        return chosen[0]

    async def unsend(self, person: Person, id: str) -> Said:
        message = self._message(person, id, "sent")
        return Said(message.mid, await self.graph.unsend(self.graph.connectors[message.account], message))

    async def react(self, person: Person, id: str, emoji: str) -> Said:
        message = self._message(person, id, "received")
        return Said(message.mid, await self.graph.react(self.graph.connectors[message.account], message, emoji))
