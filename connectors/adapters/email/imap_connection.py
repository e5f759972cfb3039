"""The way into a mailbox: verified TLS, and a password or an access token (reference/email.md §1.2–1.3)."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from imap_tools import BaseMailBox, MailboxLoginError
from imap_tools.errors import ImapToolsError

from connectors.adapters.email import oauth
from connectors.adapters.email.connect import Unreachable, explain, open_socket, trust
from connectors.errors import ConnectionLost
from connectors.messages import Account

CONNECT_SECONDS = 45.0
imaplib._MAXLINE = 32 * 1024 * 1024  # type: ignore[attr-defined]  # a SEARCH names all UIDs on one line
_TEMPORARY = (
    "UNAVAILABLE", "[INUSE]", "[SERVERBUG]", "[LIMIT]", "THROTTLED", "OVERQUOTA", "TOO MANY", "TRY AGAIN", "EXCEEDED",
)  # fmt: skip
TROUBLE = (imaplib.IMAP4.error, ImapToolsError, OSError, Unreachable, ValueError, EOFError)


def connect(account: Account) -> BaseMailBox:
    """Connected and signed in; raises `ConnectionLost`, with `refused` when the server refused who we are."""
    secrets = account.secrets
    host = secrets.get("imap_host", "")
    token = oauth.access_token(secrets) if oauth.is_used(secrets) else ""
    try:
        connection = _Connection(host, int(secrets.get("imap_port", "993")), secrets.get("imap_security", "ssl"))
    except TROUBLE as error:
        raise ConnectionLost(explain(error, host)) from error
    try:
        _sign_in(connection, secrets, token)
    except (MailboxLoginError, imaplib.IMAP4.error) as error:
        hang_up(connection)
        if isinstance(error, imaplib.IMAP4.abort) or _is_temporary(str(error)):
            raise ConnectionLost(f"{host} takes no sign-in at the moment.") from error
        if token:
            reason = f"{host} does not accept this sign-in any more."
            raise ConnectionLost(reason, refused=True, spent=token) from error
        raise ConnectionLost(f"{host} does not accept this user name and password.", refused=True) from error
    except TROUBLE as error:
        hang_up(connection)
        raise ConnectionLost(explain(error, host)) from error
    return connection


def hang_up(connection: BaseMailBox) -> None:
    with suppress(*TROUBLE):
        connection.client.sock.settimeout(5)
        connection.client.logout()
    with suppress(*TROUBLE):
        connection.client.shutdown()


class _Connection(BaseMailBox):
    def __init__(self, host: str, port: int, security: str) -> None:
        self.host, self.port, self.security = host, port, security
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        if self.security == "ssl":
            return _Secure(self.host, self.port)
        if self.security != "starttls":
            raise Unreachable(
                f'"{self.security}" is not a way to secure a connection: ssl or starttls.', permanent=True
            )
        client = _Plain(self.host, self.port)
        try:
            client.starttls(trust())
        except BaseException:  # a failed handshake leaves a dead socket behind
            client.shutdown()
            raise
        return client


class _Plain(imaplib.IMAP4):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, CONNECT_SECONDS)

    def _create_socket(self, timeout: float | None) -> Any:
        return open_socket(self.host, self.port, timeout or CONNECT_SECONDS)


class _Secure(imaplib.IMAP4):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, CONNECT_SECONDS)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = open_socket(self.host, self.port, timeout or CONNECT_SECONDS)
        try:
            return trust().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _sign_in(connection: BaseMailBox, secrets: Mapping[str, str], token: str) -> None:
    username, password = secrets.get("imap_username", ""), secrets.get("imap_password", "")
    if token:
        # A refused token comes back as a challenge that explains it, and wants an empty answer.
        answer = oauth.sasl(username, token)
        connection.client.authenticate("XOAUTH2", lambda challenge: b"" if challenge else answer)
    elif username.isascii() and password.isascii():
        connection.login(username, password, initial_folder=None)
    else:
        connection.login_utf8(username, password, initial_folder=None)


def _is_temporary(answer: str) -> bool:
    """RFC 5530, and what large providers say instead."""
    return any(word in answer.upper() for word in _TEMPORARY)
