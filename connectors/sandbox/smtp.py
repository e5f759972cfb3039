"""The SMTP server: STARTTLS, AUTH inside it, 550 for people who do not exist."""

from __future__ import annotations

import asyncio
import hmac
import ssl
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from connectors.sandbox.faults import Faults
from connectors.sandbox.mail import Account, PostOffice
from connectors.sandbox.wire import Wire

LARGEST = 36 * 1024 * 1024
LONGEST_LINE = 1024 * 1024


class Server(SMTP):
    line_length_limit = LONGEST_LINE  # real servers take and fold what RFC 5321 forbids


class Handler:
    """What happens on each SMTP command; the returned strings are the replies."""

    def __init__(self, post_office: PostOffice, faults: Faults, wire: Wire) -> None:
        self.post_office, self.faults, self.wire = post_office, faults, wire

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        account = self.post_office.user(data.login.decode(errors="replace"))
        known = account is not None and hmac.compare_digest(account.password.encode(), data.password)
        self.wire.log("smtp", "provider", "sign in", "ok" if known else "refused", ok=known)
        return AuthResult(success=known, handled=False, auth_data=account if known else None)

    async def handle_MAIL(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        slow = self.faults.take("smtp", "slow")
        if slow is not None:
            await asyncio.sleep(slow.seconds)
        owner = self.post_office.account(address)
        if owner is not None and owner.password:
            if not session.authenticated:
                return "530 5.7.0 Authentication required"
            if _signed_in(session) is not owner:
                return f"553 5.7.1 <{address}>: Sender address rejected: not owned by the user who signed in"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.faults.take("smtp", "429") is not None:
            self.wire.log("smtp", "provider", f"mail for {address}", "450 come back later", ok=False)
            return f"450 4.7.1 <{address}>: Recipient address rejected: Greylisted, try again later"
        if self.faults.take("smtp", "refuse") is not None:
            self.wire.log("smtp", "provider", f"mail for {address}", "550 refused", ok=False)
            return f"550 5.7.1 <{address}>: Recipient address rejected: Access denied"
        if self.post_office.account(address) is None:
            self.wire.log("smtp", "provider", f"mail for {address}", "550 nobody there", ok=False)
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.faults.take("smtp", "500") is not None:
            self.wire.log("smtp", "provider", "mail", "451 in trouble", ok=False)
            return "451 4.3.0 Temporary server error"
        content = envelope.original_content or b""
        self.post_office.deliver(
            content, envelope.mail_from or "", list(envelope.rcpt_tos), signed_in_as=_signed_in(session)
        )
        if self.faults.take("smtp", "hang_after_accept") is not None:
            self.wire.log("smtp", "provider", "mail", "accepted, then hung up", ok=False)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            raise ConnectionResetError
        return "250 2.0.0 Ok: queued"

    async def handle_exception(self, error: Exception) -> str:
        self.wire.log("smtp", "provider", "error", repr(error), ok=False)
        return "451 4.3.0 Temporary server error"


def _signed_in(session: Session) -> Account | None:
    return session.auth_data if session.authenticated and isinstance(session.auth_data, Account) else None


class SmtpServer:
    def __init__(self, post_office: PostOffice, faults: Faults, wire: Wire, tls: ssl.SSLContext) -> None:
        self.handler = Handler(post_office, faults, wire)
        self.tls = tls
        self.server: asyncio.Server | None = None

    def protocol(self) -> SMTP:
        return Server(
            self.handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="sandbox.test",
            ident="sandbox",
            tls_context=self.tls,
            authenticator=self.handler.authenticate,
            loop=asyncio.get_running_loop(),
        )

    async def start(self, host: str, port: int) -> None:
        self.server = await asyncio.get_running_loop().create_server(self.protocol, host, port)

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
