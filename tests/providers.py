"""What providers would hand us for what somebody said, byte for byte, and what they answer when asked about it: for
plays that go through the whole intake without a network."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from unittest.mock import patch
from urllib.parse import urlencode

from connectors import messages
from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Profile
from connectors.models import Connector
from tests.pairs import Said

_numbers = itertools.count(1)


class Providers:
    """All three. Files and profiles are asked of it, as they are asked of the real ones."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}  # by address
        self.profiles: dict[str, Profile] = {}  # by Instagram-scoped id

    def hands_over(self, said: Said, to: Connector, at: datetime) -> tuple[bytes, Mapping[str, str]]:
        """Body and headers of what reaches us."""
        number = next(_numbers)
        match to.kind:
            case "email":
                return self._letter(said, to, at, number), {}
            case "sms":
                return self._form(said, to, number), {"content-type": "application/x-www-form-urlencoded"}
        return self._event(said, to, at, number), {"content-type": "application/json"}

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While it is open, adapters get files and profiles from here."""

        def profile(account: messages.Account, address: str) -> Profile | None:
            return self.profiles.get(address)

        def fetch(account: messages.Account, file: messages.Attachment) -> messages.Attachment:
            return replace(file, content=self.files[file.url], content_type="image/jpeg", name="photo.jpg")

        instagram, sms = ADAPTERS[Channel.INSTAGRAM], ADAPTERS[Channel.SMS]
        with (
            patch.object(type(instagram), "profile", staticmethod(profile)),
            patch.object(type(instagram), "fetch_media", staticmethod(fetch)),
            patch.object(type(sms), "fetch_media", staticmethod(fetch)),
        ):
            yield

    def _letter(self, said: Said, to: Connector, at: datetime, number: int) -> bytes:
        letter, (local, _, domain) = EmailMessage(policy=SMTP), said.account.address.rpartition("@")
        authserv = to.options["authserv_id"]
        letter["Authentication-Results"] = f"{authserv}; dmarc=pass header.from={domain}"
        letter["From"] = Address(said.account.name, local, domain)
        letter["To"] = to.address
        letter["Subject"] = said.subject
        letter["Date"] = format_datetime(at)
        letter["Message-ID"] = f"<{number}.pairs@{domain}>"
        letter.set_content(said.text)
        if said.file:
            letter.add_attachment(said.file, "image", "jpeg", filename="photo.jpg")
        return letter.as_bytes()

    def _form(self, said: Said, to: Connector, number: int) -> bytes:
        sid = f"SM{number:032x}"
        form = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "AccountSid": to.credentials["account_sid"],
            "From": said.account.address,
            "To": to.address,
            "Body": said.text,
            "NumMedia": "1" if said.file else "0",
        }
        if said.file:
            form["MediaUrl0"] = self._kept(said.file, f"https://api.twilio.com/{sid}")
            form["MediaContentType0"] = "image/jpeg"
        return urlencode(form).encode()

    def _event(self, said: Said, to: Connector, at: datetime, number: int) -> bytes:
        account = said.account
        self.profiles[account.address] = Profile(account.name, account.handle)
        about: dict[str, object] = {"mid": f"aWdfpairs{number}", "text": said.text}
        if said.file:
            url = self._kept(said.file, f"https://lookaside.fbsbx.com/{number}")
            about["attachments"] = [{"type": "image", "payload": {"url": url}}]
        moment = int(at.timestamp() * 1000)
        event = {
            "sender": {"id": account.address},
            "recipient": {"id": to.address},
            "timestamp": moment,
            "message": about,
        }
        whole = {"object": "instagram", "entry": [{"id": to.address, "time": moment, "messaging": [event]}]}
        return json.dumps(whole).encode()

    def _kept(self, file: bytes, url: str) -> str:
        self.files[url] = file
        return url
