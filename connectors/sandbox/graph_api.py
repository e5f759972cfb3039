"""Meta's side of Instagram messaging: what a person's message sets off, and when the business may write.

Shapes, limits and error codes: Meta's Instagram messaging documentation. The HTTP face is graph_rest.py.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.config import Config, Connector
from connectors.sandbox.faults import Faults
from connectors.sandbox.people import People, Person
from connectors.sandbox.store import Store, StoredFile
from connectors.sandbox.webhooks import Answer, FileUnreachable, Webhooks
from connectors.sandbox.wire import Wire

WINDOW = 24 * 3600
HUMAN_AGENT_WINDOW = 7 * 24 * 3600
MOST_BYTES = 1000
SCOPED_ID = re.compile(r"\d{10,20}")
REACTIONS = {"love": "❤️", "laugh": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍"}
KINDS = {"image": "image/", "video": "video/", "audio": "audio/", "file": "application/pdf"}


class GraphError(Exception):
    def __init__(
        self, code: int, message: str, subcode: int = 0, *, status: int = 400, transient: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode = code, message, subcode
        self.status, self.transient = status, transient


@dataclass(slots=True)
class DirectMessage:
    """`direction` is the customer's: sent or received. `at` in epoch milliseconds, Meta's unit."""

    mid: str
    account: str
    person: str  # Instagram-scoped id
    text: str
    direction: str
    at: int
    files: list[dict[str, str]] = field(default_factory=list)
    reply_to: str = ""
    reaction: str = ""
    is_seen: bool = False
    is_unsent: bool = False


def new_mid() -> str:
    """Opaque and long, as the real ones are."""
    return "aWdfZAG1faXRlbTox" + base64.urlsafe_b64encode(secrets.token_bytes(90)).decode().rstrip("=")


class Graph:
    def __init__(
        self, config: Config, people: People, store: Store, webhooks: Webhooks, faults: Faults, wire: Wire
    ) -> None:
        self.config, self.people, self.store = config, people, store
        self.webhooks, self.faults, self.wire = webhooks, faults, wire
        self.connectors = {connector.address: connector for connector in config.of_kind("instagram")}
        self.messages: dict[str, DirectMessage] = {}
        self.threads: dict[str, list[DirectMessage]] = {}
        for value in store.all("dm"):
            self._file(DirectMessage(**value))

    def _file(self, message: DirectMessage) -> None:
        if message.mid not in self.messages:
            self.messages[message.mid] = message
            self.threads.setdefault(message.person, []).append(message)

    def keep(self, message: DirectMessage) -> None:
        self._file(message)
        self.store.put("dm", message.mid, asdict(message))
        person = self.people.by_instagram(message.person)
        if person is not None:
            self.wire.announce("thread", person=person.id, channel="instagram")

    def conversation(self, account: str, person: str) -> list[DirectMessage]:
        """Oldest first."""
        found = [one for one in self.threads.get(person, []) if one.account == account]
        return sorted(found, key=lambda one: one.at)

    def connector_for(self, access_token: str) -> Connector | None:
        known = (one for one in self.connectors.values() if one.access_token)
        return next((one for one in known if one.access_token == access_token), None)

    async def receive(
        self,
        connector: Connector,
        person: str,
        text: str,
        files: list[StoredFile],
        *,
        age: float = 0,
        reply_to: str = "",
    ) -> tuple[DirectMessage, Answer]:
        """Somebody writes to our account. Text and pictures travel in one message, as from the app."""
        at = round((time.time() - age) * 1000)
        message = DirectMessage(new_mid(), connector.address, person, text, "sent", at, reply_to=reply_to)
        message.files = [{"file": file.id, "type": file.content_type} for file in files]
        self.keep(message)
        body: dict[str, Any] = {"mid": message.mid}
        if text:
            body["text"] = text
        if files:
            body["attachments"] = [
                {"type": file.content_type.partition("/")[0], "payload": {"url": self.media_url(file.id)}}
                for file in files
            ]
        if reply_to:
            quoted = self.messages.get(reply_to)
            own = quoted is not None and quoted.direction == "sent"
            body["reply_to"] = {"mid": reply_to, "is_self_reply": own}
        answer = await self.tell(connector, person, {"message": body}, at=at)
        return message, answer

    def media_url(self, file: str) -> str:
        return f"{self.config.base_url}/ig_messaging_cdn/?asset_id={file}&signature=sandbox"

    async def tell(
        self,
        connector: Connector,
        person: str,
        item: dict[str, Any],
        *,
        at: int = 0,
        echo: bool = False,
        what: str = "POST webhook",
    ) -> Answer:
        """One webhook with one item in Meta's envelope."""
        now = round(time.time() * 1000)
        theirs, ours = {"id": person}, {"id": connector.address}
        head = {"sender": ours, "recipient": theirs} if echo else {"sender": theirs, "recipient": ours}
        entry = {"id": connector.address, "time": now, "messaging": [head | {"timestamp": at or now} | item]}
        return await self.webhooks.meta(connector, {"object": "instagram", "entry": [entry]}, what)

    async def unsend(self, connector: Connector, message: DirectMessage) -> Answer:
        message.is_unsent, message.text, message.files = True, "", []
        self.keep(message)
        item = {"message": {"mid": message.mid, "is_deleted": True}}
        return await self.tell(connector, message.person, item, what="POST webhook unsent")

    async def react(self, connector: Connector, message: DirectMessage, emoji: str) -> Answer:
        message.reaction = emoji
        self.keep(message)
        reaction: dict[str, str] = {"mid": message.mid, "action": "react" if emoji else "unreact"}
        if emoji:
            name = next((name for name, one in REACTIONS.items() if one[0] == emoji[0]), "other")
            reaction |= {"reaction": name, "emoji": emoji}
        return await self.tell(connector, message.person, {"reaction": reaction}, what="POST webhook reaction")

    async def see(self, person: str) -> Answer | None:
        """The person looks at the thread: everything received is seen, and Meta tells it by the newest message."""
        answer = None
        for connector in self.connectors.values():
            unseen = [
                one
                for one in self.conversation(connector.address, person)
                if one.direction == "received" and not one.is_seen
            ]
            for message in unseen:
                message.is_seen = True
                self.keep(message)
            if unseen:
                item = {"read": {"mid": unseen[-1].mid}}
                answer = await self.tell(connector, person, item, what="POST webhook seen")
        return answer

    async def accept(self, connector: Connector, body: dict[str, Any]) -> dict[str, str]:
        """The Send API: take the message or raise the `GraphError` Meta answers."""
        person = str((body.get("recipient") or {}).get("id", ""))
        message, action = body.get("message"), body.get("sender_action")
        if not SCOPED_ID.fullmatch(person) or person in self.connectors:
            raise GraphError(100, "(#100) No matching user found.", 2534014)
        if action:
            if message:
                raise GraphError(100, "(#100) Only one of message and sender_action may be set.", 2018014)
            if action == "mark_seen":
                self._mark_seen(connector, person)
            return {"recipient_id": person}
        if not isinstance(message, dict):
            raise GraphError(100, "(#100) The parameter message is required.")
        self.check_window(connector, person, str(body.get("tag", "")))
        text = str(message.get("text", ""))
        attachments = message.get("attachments") or ([message["attachment"]] if message.get("attachment") else [])
        if not text and not attachments:
            raise GraphError(100, "(#100) Message cannot be empty, must provide valid attachment or text")
        if text and attachments:
            raise GraphError(100, "(#100) Message data is not allowed for this message type.", 2534015)
        if len(text.encode()) > MOST_BYTES:
            raise GraphError(100, f"(#100) Length of param message[text] must be less than or equal to {MOST_BYTES}")
        reply_to = str((body.get("reply_to") or {}).get("mid", ""))
        at = round(time.time() * 1000)
        sent = DirectMessage(new_mid(), connector.address, person, text, "received", at, reply_to=reply_to)
        sent.files = [await self.fetch(attachment) for attachment in attachments]
        self.people.meet(instagram_id=person)
        self.keep(sent)
        self.webhooks.later(self._echo(connector, sent))
        return {"recipient_id": person, "message_id": sent.mid}

    def _mark_seen(self, connector: Connector, person: str) -> None:
        for message in self.conversation(connector.address, person):
            if message.direction == "sent" and not message.is_seen:
                message.is_seen = True
                self.keep(message)

    def check_window(self, connector: Connector, person: str, tag: str) -> None:
        """24 hours from their last message, 7 days for a human agent.

        A person of whom the sandbox knows no message at all passes: somebody else posted the webhook.
        """
        if tag and tag != "HUMAN_AGENT":
            raise GraphError(100, "(#100) Param tag is deprecated or unknown.")
        closed = self.faults.take("graph", "window_closed") is not None
        written = [one.at for one in self.conversation(connector.address, person) if one.direction == "sent"]
        allowed = HUMAN_AGENT_WINDOW if tag else WINDOW
        if closed or (written and time.time() - max(written) / 1000 > allowed):
            raise GraphError(
                10, "(#10) This message is sent outside of allowed window. Learn more about the policy.", 2534022
            )

    async def fetch(self, attachment: dict[str, Any]) -> dict[str, str]:
        """Meta fetches the file at once and refuses the message when it cannot."""
        kind, payload = str(attachment.get("type", "")), attachment.get("payload") or {}
        if kind not in KINDS:
            raise GraphError(100, "(#100) Message data is not allowed for this message type.", 2534015)
        try:
            content, content_type = await self.webhooks.fetch(str(payload.get("url", "")))
        except FileUnreachable as error:
            raise GraphError(100, f"(#100) Failed to fetch the file from the url. {error}", 2018008) from error
        if not content_type.startswith(KINDS[kind]):
            raise GraphError(100, f"(#100) {content_type} is not allowed for {kind}.", 2018047)
        file = self.store.add_file(content, content_type, str(payload.get("url", "")).rpartition("/")[2])
        self.wire.log("graph", "product", "GET media", "200", content_type, f"{len(content) // 1024} KB")
        return {"file": file.id, "type": content_type}

    async def _echo(self, connector: Connector, message: DirectMessage) -> None:
        await asyncio.sleep(min(self.config.status_delay, 0.2))
        body: dict[str, Any] = {"mid": message.mid, "is_echo": True}
        if message.text:
            body["text"] = message.text
        if message.files:
            body["attachments"] = [
                {"type": _kind(file["type"]), "payload": {"url": self.media_url(file["file"])}}
                for file in message.files
            ]
        await self.tell(
            connector, message.person, {"message": body}, at=message.at, echo=True, what="POST webhook echo"
        )

    def profile(self, person: Person) -> dict[str, Any]:
        return {
            "name": None if person.stranger else person.name,
            "username": person.instagram_handle.lstrip("@") or f"user{person.instagram_id[-6:]}",
            "profile_pic": None,
            "follower_count": 214,
            "is_user_follow_business": False,
            "is_business_follow_user": False,
            "is_verified_user": False,
        }

    def thread(self, person: str) -> list[dict[str, Any]]:
        """What this person has in the app, oldest first."""
        found = sorted(self.threads.get(person, []), key=lambda one: one.at)
        return [
            {
                "id": one.mid,
                "direction": one.direction,
                "text": one.text,
                "at": datetime.fromtimestamp(one.at / 1000, UTC).isoformat(timespec="milliseconds"),
                "read": one.is_seen or one.direction == "sent",
                "seen": one.is_seen,
                "reaction": one.reaction,
                "unsent": one.is_unsent,
                "reply_to": one.reply_to,
                "files": [{"url": f"/files/{file['file']}", "type": file["type"]} for file in one.files],
            }
            for one in found
            if not one.is_unsent
        ]


def _kind(content_type: str) -> str:
    kind = content_type.partition("/")[0]
    return kind if kind in KINDS else "file"
