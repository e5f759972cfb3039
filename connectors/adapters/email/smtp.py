"""One mail handed to the mail server, command by command, so that its fate is known (reference/email.md §4).

The final dot is the line: before it nothing was accepted; after it a lost connection means nobody knows.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from connectors.adapters.base import SLOWEST
from connectors.adapters.email import oauth
from connectors.adapters.email.compose import compose, envelope_address, recipients
from connectors.adapters.email.connect import Unreachable, explain, open_socket, trust
from connectors.errors import ConnectionLost, SendFailed, SendUnknown
from connectors.messages import Account, OutboundMessage, Sent

CONNECT_SECONDS = 30.0  # and for each command, and for each piece of the mail
PIECE = 64 * 1024
DATA_SECONDS = 30.0  # for the whole mail, beside what its size takes
ACCEPT_SECONDS = 120.0  # a server may scan a mail before it answers the dot
RETRY_SECONDS = 300
RENEWAL_SECONDS = 30  # a sign-in that has just ended is renewed within a minute

_LINE_END = re.compile(rb"\r\n|\r|\n")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_SIGN_IN_CODES = {530, 534, 535, 538}


def send(account: Account, message: OutboundMessage) -> Sent:
    """Deliver to the mail server. `Sent.refused` has the copied-in addresses it did not take."""
    data, people = _written(message)
    session = _Session(account)
    try:
        refused = session.deliver(envelope_address(message.sender), people, data, automatic=message.automatic)
    finally:
        session.close()
    return Sent(message.email.message_id if message.email else "", refused=refused)


def _written(message: OutboundMessage) -> tuple[bytes, list[str]]:
    """The bytes that travel, and to whom. Whatever goes wrong here, nothing has left."""
    try:
        data = _dotted(compose(message).as_bytes())
        return data, [envelope_address(person.address) for person in recipients(message)]
    except SendFailed:
        raise
    except Exception as error:
        reason = f"The mail could not be put together ({type(error).__name__})."
        raise SendFailed(reason, permanent=True, code="compose") from error


def sign_in(account: Account) -> None:
    """Connects, signs in, hangs up; raises `SendFailed`."""
    _Session(account).close()


class _Session:
    def __init__(self, account: Account) -> None:
        secrets = account.secrets
        self.host = secrets.get("smtp_host", "")
        domain = account.addresses[0].rpartition("@")[2] if account.addresses else "localhost"
        try:
            self.smtp = _connect(
                self.host, int(secrets.get("smtp_port", "587")), secrets.get("smtp_security", "starttls"), domain
            )
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error, self.host) from error
        except (OSError, Unreachable, ValueError) as error:
            permanent = isinstance(error, Unreachable) and error.permanent
            retry_after = None if permanent else RETRY_SECONDS
            raise SendFailed(
                explain(error, self.host), permanent=permanent, code="connect", retry_after=retry_after
            ) from error
        try:
            if oauth.is_used(secrets):
                self._show_token(secrets)
            else:
                self._sign_in(secrets.get("smtp_username", ""), secrets.get("smtp_password", ""))
        except BaseException:
            self.close()
            raise

    def deliver(self, sender: str, people: list[str], data: bytes, *, automatic: bool) -> dict[str, str]:
        """The refused recipients and why. The first recipient must be taken, else nobody gets the mail."""
        try:
            self._announce(sender, len(data), automatic=automatic)
            refused = self._name_recipients(people)
            self._expect(354, *self.smtp.docmd("DATA"))
            self._hand_over(data)
        except (OSError, smtplib.SMTPException) as error:
            reason = explain(error, self.host)
            raise SendFailed(reason, permanent=False, code="connect", retry_after=RETRY_SECONDS) from error
        try:
            self._socket().settimeout(ACCEPT_SECONDS)
            self.smtp.send(b".\r\n")
            code, answer = self.smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise SendUnknown("The connection broke while the mail server was taking the mail.") from error
        if code < 0:
            raise SendUnknown("What the mail server said when it had the mail cannot be read.")
        self._expect(250, code, answer)
        return refused

    def _hand_over(self, data: bytes) -> None:
        """In pieces: the time-out of the socket is for all that is given to it at once, be it 20 MB."""
        ends = time.monotonic() + DATA_SECONDS + len(data) / SLOWEST
        for start in range(0, len(data), PIECE):
            if time.monotonic() > ends:
                raise TimeoutError
            self.smtp.send(data[start : start + PIECE])

    def close(self) -> None:
        with suppress(OSError, smtplib.SMTPException):
            if self.smtp.sock is not None:
                self._socket().settimeout(5)
                self.smtp.quit()
        self.smtp.close()

    def _sign_in(self, username: str, password: str) -> None:
        if not username:
            return
        try:
            self.smtp.login(username, password)
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise _refusal(error.smtp_code, error.smtp_error, self.host) from error
            reason = f"{self.host} does not accept this user name and password."
            raise _not_let_in(reason, str(error.smtp_code)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise _not_let_in(f"{self.host} offers no way to sign in with a password.", "auth") from error
        except (OSError, smtplib.SMTPException) as error:
            reason = explain(error, self.host)
            raise SendFailed(reason, permanent=False, code="connect", retry_after=RETRY_SECONDS) from error

    def _show_token(self, secrets: Mapping[str, str]) -> None:
        """XOAUTH2. A refused token comes back as a challenge (334) that explains it, and wants an empty answer."""
        username = secrets.get("smtp_username") or secrets.get("imap_username", "")
        try:
            token = oauth.access_token(secrets)
            answer = base64.b64encode(oauth.sasl(username, token)).decode()
            code, said = self.smtp.docmd("AUTH", f"XOAUTH2 {answer}")
            if code == 334:
                code, said = self.smtp.docmd("")
        except ConnectionLost as error:
            raise SendFailed(error.reason, permanent=False, code="auth", retry_after=RENEWAL_SECONDS) from error
        except (OSError, smtplib.SMTPException) as error:
            reason = explain(error, self.host)
            raise SendFailed(reason, permanent=False, code="connect", retry_after=RETRY_SECONDS) from error
        if code == 235:
            return
        if 400 <= code < 500:
            raise _refusal(code, said, self.host)
        raise _not_let_in(f"{self.host} does not accept this sign-in any more.", str(code), spent=token)

    def _announce(self, sender: str, size: int, *, automatic: bool) -> None:
        """MAIL FROM. An automatic mail has the null sender, which nothing can answer; where that is refused, ours."""
        limit = self.smtp.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < size:
            most = f"{int(limit) / 1_000_000:.0f} MB"
            raise SendFailed(f"The mail is too large: {self.host} takes at most {most}.", permanent=True, code="5.3.4")
        if automatic:
            code, _ = self.smtp.mail("")
            if code == 250:
                return
            self.smtp.rset()
        self._expect(250, *self.smtp.mail(sender))

    def _name_recipients(self, people: list[str]) -> dict[str, str]:
        refused: dict[str, str] = {}
        for position, address in enumerate(people):
            code, answer = self.smtp.rcpt(address)
            if code in (250, 251, 252):
                continue
            refusal = _refusal(code, answer, self.host, address)
            if position == 0:
                raise refusal
            refused[address] = refusal.reason
        return refused

    def _expect(self, wanted: int, code: int, answer: bytes) -> None:
        if code != wanted:
            raise _refusal(code, answer, self.host)

    def _socket(self) -> socket.socket:
        assert self.smtp.sock is not None
        return self.smtp.sock


class _Plain(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return open_socket(host, port, timeout)


class _Secure(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return trust().wrap_socket(open_socket(host, port, timeout), server_hostname=host)


def _connect(host: str, port: int, security: str, domain: str) -> smtplib.SMTP:
    """`domain` is what we call ourselves in EHLO: the machine's own name is nobody's business."""
    if not host:
        raise Unreachable("No outgoing mail server is set up.", permanent=True)
    if security == "ssl":
        smtp: smtplib.SMTP = _Secure(host, port, local_hostname=domain, timeout=CONNECT_SECONDS)
        smtp.ehlo_or_helo_if_needed()
        return smtp
    if security != "starttls":
        raise Unreachable(f'"{security}" is not a way to secure a connection: ssl or starttls.', permanent=True)
    smtp = _Plain(host, port, local_hostname=domain, timeout=CONNECT_SECONDS)
    try:
        smtp.starttls(context=trust())
        smtp.ehlo_or_helo_if_needed()
    except smtplib.SMTPNotSupportedError as error:
        smtp.close()
        raise Unreachable(f"{host} offers no encryption (STARTTLS) on port {port}.", permanent=True) from error
    except BaseException:
        smtp.close()
        raise
    return smtp


def _dotted(data: bytes) -> bytes:
    """Lines end in CRLF and a leading dot is doubled (RFC 5321 §4.5.2); the final dot is not part of it."""
    data = re.sub(rb"(?m)^\.", b"..", _LINE_END.sub(b"\r\n", data))
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _not_let_in(reason: str, code: str, *, spent: str = "") -> SendFailed:
    """The mail did not leave, and can once we are let in. A refused token is renewed within a minute."""
    retry_after = RENEWAL_SECONDS if spent else RETRY_SECONDS
    return SendFailed(reason, permanent=False, code=code, retry_after=retry_after, refused=True, spent=spent)


def _refusal(code: int, answer: bytes | str, host: str, address: str = "") -> SendFailed:
    """What the server said, as a sentence an agent can read. 4xx may be tried again, 5xx not."""
    if code in _SIGN_IN_CODES:
        return _not_let_in(f"{host} wants us to sign in again.", str(code))
    said = (answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer).replace("\n", " ")[:300]
    status = _STATUS.search(said)
    permanent = not 400 <= code < 500 and code > 0
    return SendFailed(
        _sentence(code, status[1] if status else "", host, address, said),
        permanent=permanent,
        code=status[1] if status else str(code),
        retry_after=None if permanent else RETRY_SECONDS,
    )


def _sentence(code: int, status: str, host: str, address: str, said: str) -> str:
    whom = address or "the mail"
    if status in ("5.1.1", "5.1.2", "5.1.3", "5.1.10") or (code in (550, 551, 553) and address and not status):
        return f"The mail server says there is no such address: {address or 'unknown'}. ({code} {said})"
    if status.endswith(".2.2") or (code in (452, 552) and address):
        return f"The mailbox of {whom} is full. ({code} {said})"
    if code == 552 or status == "5.3.4":
        return f"The mail is too large for the mail server. ({code} {said})"
    if status.startswith("5.7") or code == 554:
        return f"The mail server refused {whom} by its rules. ({code} {said})"
    if 400 <= code < 500:
        return f"The mail server does not take {whom} right now. ({code} {said})"
    return f"The mail server refused {whom}. ({code} {said})"
