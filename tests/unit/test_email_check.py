"""The live test of a mailbox: what it finds out, in words, and what to do about it."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from connectors.adapters.email import EmailAdapter, check
from connectors.adapters.email.connect import trust
from connectors.messages import Account, Check
from tests.payloads.email.letters import mail
from tests.payloads.email.servers import PASSWORD, USER, Imap, certificate, server_context, smtp_server


class PostOffice:
    """Takes mail by SMTP and puts it into the mailbox, with a verdict on its sender."""

    def __init__(self, imap: Imap) -> None:
        self.imap, self.loses, self.recipients = imap, False, list[str]()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        if not self.loses:
            self.put(b"Authentication-Results: mx.shop.example; spf=pass\r\n" + envelope.content)
        return "250 OK"

    def put(self, raw: bytes) -> None:
        program = imaplib.IMAP4_SSL("127.0.0.1", self.imap.port, ssl_context=trust(), timeout=10)
        program.login(USER, PASSWORD)
        program.append("INBOX", "", imaplib.Time2Internaldate(datetime.now(UTC)), raw)
        program.logout()

    def count(self) -> int:
        program = imaplib.IMAP4_SSL("127.0.0.1", self.imap.port, ssl_context=trust(), timeout=10)
        program.login(USER, PASSWORD)
        return int(program.select("INBOX", readonly=True)[1][0] or b"0")


@pytest.fixture
def office(tmp_path: Path, settings: Settings) -> Iterator[tuple[PostOffice, Account]]:
    pem = certificate(tmp_path)
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(pem)
    imap = Imap(server_context(pem))
    office = PostOffice(imap)
    with smtp_server(office, server_context(pem)) as port:
        secrets = {
            "imap_host": "127.0.0.1", "imap_port": str(imap.port), "imap_username": USER, "imap_password": PASSWORD,
            "smtp_host": "127.0.0.1", "smtp_port": str(port), "smtp_username": USER, "smtp_password": PASSWORD,
            "message_id_key": "key-canary",
        }  # fmt: skip
        yield office, Account("1", ("support@shop.example",), secrets=secrets)
    imap.stop()


def found(account: Account) -> dict[str, Check]:
    return {each.name: each for each in EmailAdapter().check(account)}


def test_a_mailbox_that_works_is_told_so_and_left_as_it_was(office: tuple[PostOffice, Account]) -> None:
    there, account = office
    before = there.count()
    all_of_it = found(replace(account, options={"start": "7"}))
    assert all(each.ok for each in all_of_it.values()), all_of_it
    assert all_of_it["Reading mail"].words.startswith("Signed in and opened INBOX.")
    assert "mails in there are taken in at first" in all_of_it["Reading mail"].words
    assert all_of_it["Round trip"].words.startswith("A mail to support… came back after ")
    assert there.recipients[0].startswith("support+r.test-")
    assert there.count() == before


def test_where_plus_addresses_are_lost_the_fix_says_what_to_do(
    office: tuple[PostOffice, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, account = office
    there.loses = True
    monkeypatch.setattr(check, "PATIENCE", 0.3)
    monkeypatch.setattr(check, "EVERY", 0.1)
    lost = found(account)["Round trip"]
    assert not lost.ok
    assert "did not come back" in lost.words
    assert "plus addresses" in lost.fix
    plain = found(replace(account, options={"no_plus": "yes"}))["Round trip"]
    assert "plus" not in plain.fix
    assert there.recipients[-1] == "support@shop.example"


@pytest.mark.parametrize(
    ("entered", "ok", "words"),
    [
        ("", True, "No sender counts as proven. The mail here is judged by mx.shop.example: enter that name"),
        ("mx.shop.example", True, "What mx.shop.example says of a sender counts."),
        ("mx.google.com", False, "You entered mx.google.com, but the mail here is judged by mx.shop.example."),
    ],
)
def test_whose_word_on_senders_counts_is_compared_with_the_mail_that_is_there(
    office: tuple[PostOffice, Account], entered: str, ok: bool, words: str
) -> None:
    there, account = office
    there.put(mail("Authentication-Results: mx.shop.example 1; dmarc=pass"))
    proof = found(replace(account, options={"authserv_id": entered}))["Proof of senders"]
    assert proof.ok is ok
    assert proof.words.startswith(words)


UNNAMED = "Authentication-Results: spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=ortiz.example; dmarc=pass"


@pytest.mark.parametrize(
    ("entered", "ok", "words"),
    [
        (
            "",
            True,
            "No sender counts as proven. The mail here is judged by a server that gives no name (Microsoft 365 gives",
        ),
        ("Microsoft365", True, "What microsoft365 says of a sender counts."),
        ("mx.shop.example", False, "You entered mx.shop.example, but the mail here is judged by a server that gives"),
        ("spf=pass", False, "You entered spf=pass. That is a result and no server's name. Microsoft 365 writes no"),
    ],
)
def test_a_server_that_gives_no_name_is_not_called_by_its_first_result(
    office: tuple[PostOffice, Account], entered: str, ok: bool, words: str
) -> None:
    there, account = office
    there.put(mail(UNNAMED))
    proof = found(replace(account, options={"authserv_id": entered}))["Proof of senders"]
    assert proof.ok is ok
    assert proof.words.startswith(words)
    assert "microsoft365" in proof.words


def test_one_forged_verdict_does_not_change_whose_word_is_advised(office: tuple[PostOffice, Account]) -> None:
    there, account = office
    for server in ("mx.shop.example", "mx.shop.example", "mx.evil.example"):
        there.put(mail(f"Authentication-Results: {server}; dmarc=pass"))
    assert "judged by mx.shop.example:" in found(account)["Proof of senders"].words


def test_a_wrong_password_ends_the_test_with_what_to_do(office: tuple[PostOffice, Account]) -> None:
    there, account = office
    broken = found(replace(account, secrets={**account.secrets, "imap_password": "wrong-canary"}))
    assert not broken["Reading mail"].ok
    assert broken["Sending mail"].ok
    assert "Round trip" not in broken
    assert there.recipients == []
    assert "canary" not in repr(broken)
