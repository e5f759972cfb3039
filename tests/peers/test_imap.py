"""Our IMAP against Dovecot, also over a wire that misbehaves."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest

from connectors.adapters.email import imap, oauth
from connectors.adapters.email.imap import Mailbox
from connectors.errors import ConnectionLost
from connectors.messages import Account
from tests.payloads.email.letters import mail
from tests.peers.dovecot import TOKEN, USER, Dovecot
from tests.peers.proxy import Proxy


def put(server: Dovecot, *subjects: str, folder: str = "", size: int = 0) -> None:
    for subject in subjects:
        raw = mail(
            f"Subject: {subject}", f"Message-ID: <{subject}@ortiz.example>", body=("x" * 70 + "\r\n") * (1 + size // 72)
        )
        server.put(f"{time.time_ns()}.{subject}.host", raw, folder)


def subjects(mailbox: Mailbox, last_uid: int = 0) -> list[str]:
    found = [each.body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for each in mailbox.fetch(last_uid)]
    return sorted(found)


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_mail_is_read_once_and_stays_as_it_was(server: Dovecot, security: str) -> None:
    put(server, "one", "two")
    with Mailbox.open(server.account(security=security)) as mailbox:
        _, uidnext = mailbox.select()
        assert uidnext == 3
        first, _second = list(mailbox.fetch(0))
        assert abs((first.internaldate - datetime.now(UTC)).total_seconds()) < 60
        assert list(mailbox.fetch(2)) == []
        assert mailbox.newest() == 2
    assert not list((server.home / "mail" / USER / "cur").glob("*S*"))


def test_a_wrong_password_and_a_wrong_name_on_the_certificate_are_refused(server: Dovecot) -> None:
    with pytest.raises(ConnectionLost) as caught:
        Mailbox.open(server.account(password="wrong"))
    assert caught.value.refused
    elsewhere = server.account()
    with pytest.raises(ConnectionLost, match="certificate of localhost is not valid"):
        Mailbox.open(Account("1", (USER,), secrets={**elsewhere.secrets, "imap_host": "localhost"}))


def test_a_token_opens_the_mailbox_and_another_one_does_not(server: Dovecot) -> None:
    def with_token(token: str) -> Account:
        secrets = {
            **server.account(password="").secrets, "oauth_provider": "google", "oauth_access_token": token,
            "oauth_expires_at": "2999-01-01",
        }  # fmt: skip
        assert oauth.is_used(secrets)
        return Account("1", (USER,), secrets=secrets)

    with Mailbox.open(with_token(TOKEN)) as mailbox:
        assert mailbox.select()[0] > 0
    with pytest.raises(ConnectionLost) as caught:
        Mailbox.open(with_token("of another"))
    assert (caught.value.refused, caught.value.spent) == (True, "of another")


def test_news_end_the_wait_at_once_and_silence_does_not(server: Dovecot) -> None:
    with Mailbox.open(server.account()) as mailbox:
        mailbox.select()
        assert mailbox.wait(0.2) is False
        threading.Timer(0.3, put, (server, "news")).start()
        began = time.monotonic()
        assert mailbox.wait(30) is True
        assert time.monotonic() - began < 20
        assert subjects(mailbox) == ["news"]


def test_special_folders_are_those_the_server_says(server: Dovecot) -> None:
    with Mailbox.open(server.account()) as mailbox:
        assert (mailbox.special("\\Sent"), mailbox.special("\\Junk")) == ("Sent Mail", "Spam")


def test_new_uids_are_noticed(server: Dovecot) -> None:
    put(server, "one")
    with Mailbox.open(server.account()) as mailbox:
        before = mailbox.select()
    server.admin("mailbox", "update", "--uid-validity", "4711", "INBOX")
    with Mailbox.open(server.account()) as mailbox:
        assert before[0] != 4711
        assert mailbox.select() == (4711, 2)


def test_mail_that_a_person_reads_or_removes_meanwhile_harms_nobody(server: Dovecot) -> None:
    for name in ("read", "moved", "deleted", "last"):
        put(server, name)
    with Mailbox.open(server.account()) as mailbox:
        mailbox.select()
        fetching = mailbox.fetch(0)
        first = next(fetching)
        server.admin("flags", "add", "\\Seen", "mailbox", "INBOX", "uid", "1")
        server.admin("expunge", "mailbox", "INBOX", "uid", "2:3")
        rest = list(fetching)
    assert b"read" in first.body
    assert [b"last" in each.body for each in rest] == [True]


def test_what_is_here_is_flagged_or_moved_and_nothing_else_goes(server: Dovecot) -> None:
    for name in ("one", "two", "three"):
        put(server, name)
    server.admin("flags", "add", "\\Deleted", "mailbox", "INBOX", "uid", "3")
    with Mailbox.open(server.account()) as mailbox:
        mailbox.select(writable=True)
        mailbox.flag([1])
        mailbox.move([2], "Fertig & weg")
        mailbox.select("Fertig & weg")
        assert subjects(mailbox) == ["two"]
    assert list((server.home / "mail" / USER / "cur").glob("*:2,FS*"))
    assert len([*(server.home / "mail" / USER).glob("cur/*"), *(server.home / "mail" / USER).glob("new/*")]) == 2


def test_the_last_days_begin_below_their_first_mail(server: Dovecot) -> None:
    put(server, "today")
    with Mailbox.open(server.account()) as mailbox:
        mailbox.select()
        assert mailbox.before(datetime.now(UTC).date()) == 0


def test_a_mail_that_is_too_large_comes_as_its_headers(server: Dovecot) -> None:
    put(server, "large", size=400_000)
    with Mailbox.open(server.account()) as mailbox:
        mailbox.select()
        (found,) = mailbox.fetch(0, max_bytes=100_000)
    assert found.raw is None
    assert b"Subject: large" in found.body


def read_all(account: Account) -> list[str]:
    with Mailbox.open(account) as mailbox:
        mailbox.select()
        return subjects(mailbox)


def test_a_wire_cut_in_the_middle_of_a_mail_loses_nothing(server: Dovecot) -> None:
    put(server, "large", size=300_000)
    with Proxy(server.tls) as wire:
        wire.cut_after = 100_000
        with pytest.raises(ConnectionLost):
            read_all(server.account(port=wire.port))
        wire.cut_after = 0
        assert read_all(server.account(port=wire.port)) == ["large"]


def test_a_wire_that_is_dead_at_one_end_is_noticed(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "READ_SECONDS", 0.5)
    put(server, "large", size=300_000)
    with Proxy(server.tls) as wire:
        wire.silent_after = 50_000
        with pytest.raises(ConnectionLost, match="took too long"):
            read_all(server.account(port=wire.port))


def test_a_dead_wire_is_noticed_while_waiting_too(server: Dovecot) -> None:
    with Proxy(server.tls) as wire, Mailbox.open(server.account(port=wire.port)) as mailbox:
        mailbox.select()
        threading.Timer(0.3, wire.cut).start()
        with pytest.raises(ConnectionLost):
            mailbox.wait(30)


def test_a_slow_wire_is_not_a_lost_one(server: Dovecot) -> None:
    put(server, "large", size=60_000)
    with Proxy(server.tls) as wire:
        wire.rate = 100_000
        assert read_all(server.account(port=wire.port)) == ["large"]
