from __future__ import annotations

import imaplib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from connectors.adapters.email import imap
from connectors.adapters.email.connect import trust
from connectors.adapters.email.imap import Mailbox, RawMail
from connectors.errors import ConnectionLost
from connectors.messages import Account
from tests.payloads.email.letters import mail, message
from tests.payloads.email.servers import PASSWORD, USER, Imap, Scripted, server_context

pytestmark = pytest.mark.usefixtures("loopback")


def account(port: int, password: str = PASSWORD, security: str = "ssl") -> Account:
    secrets = {
        "imap_host": "127.0.0.1", "imap_port": str(port), "imap_username": USER,
        "imap_password": password, "imap_security": security,
    }  # fmt: skip
    return Account("1", ("support@shop.example",), secrets=secrets)


def client(server: Imap) -> imaplib.IMAP4:
    """Another program that uses the same mailbox."""
    other = imaplib.IMAP4_SSL("127.0.0.1", server.port, ssl_context=trust(), timeout=10)
    other.login(USER, PASSWORD)
    other.select("INBOX")
    return other


def deliver(server: Imap, *bodies: str, when: datetime | None = None) -> None:
    other = client(server)
    date = imaplib.Time2Internaldate(when or datetime.now(UTC))
    for body in bodies:
        assert other.append("INBOX", "", date, mail(f"Subject: {body}", body=body))[0] == "OK"
    other.logout()


def flags(server: Imap, uid: int) -> set[str]:
    other = client(server)
    _, answers = other.uid("FETCH", str(uid), "(FLAGS)")
    other.logout()
    return {flag.decode() for flag in imaplib.ParseFlags(answers[0]) if flag != b"\\Recent"}


def subjects(mails: Iterator[RawMail]) -> list[str]:
    return [message(found.body).subject for found in mails]


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_new_mail_is_fetched_oldest_first_with_its_arrival(pem: Path, security: str) -> None:
    server = Imap(server_context(pem), implicit=security == "ssl")
    when = datetime(2025, 11, 22, 9, 30, tzinfo=UTC)
    try:
        with Mailbox.open(account(server.port, security=security)) as mailbox:
            mailbox._client.append("INBOX", "", imaplib.Time2Internaldate(when), mail("Subject: one"))
            mailbox._client.append("INBOX", "", imaplib.Time2Internaldate(when), mail("Subject: two"))
            uidvalidity, uidnext = mailbox.select("INBOX")
            found = list(mailbox.fetch(0))
        assert subjects(iter(found)) == ["one", "two"]
        assert [one.uid for one in found] == [uidnext - 2, uidnext - 1]
        assert {one.uidvalidity for one in found} == {uidvalidity}
        assert found[0].internaldate == when
        assert found[0].size == len(found[0].raw or b"")
    finally:
        server.stop()


def test_nothing_new_is_nothing_although_servers_name_the_last_mail(server: Imap) -> None:
    deliver(server, "one", "two")
    with Mailbox.open(account(server.port)) as mailbox:
        _, uidnext = mailbox.select()
        assert list(mailbox.fetch(uidnext - 1)) == []
        assert list(mailbox.fetch(uidnext + 50)) == []
        deliver(server, "three")
        assert subjects(mailbox.fetch(uidnext - 1)) == ["three"]


def test_the_newest_uid_is_known_without_the_servers_announcement(server: Imap) -> None:
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        assert mailbox.newest() == 0
    deliver(server, "one", "two")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        assert mailbox.newest() == max(mail.uid for mail in mailbox.fetch(0))


def test_mail_that_a_person_has_read_is_fetched_and_stays_as_it_was(server: Imap) -> None:
    deliver(server, "read by a phone", "unread")
    other = client(server)
    other.uid("STORE", other.uid("SEARCH", "SUBJECT phone")[1][0].decode(), "+FLAGS", "(\\Seen)")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        assert subjects(mailbox.fetch(0)) == ["read by a phone", "unread"]
    assert len(other.uid("SEARCH", "UNSEEN")[1][0].split()) == 1
    other.logout()


def test_mail_marked_as_deleted_is_left_out(server: Imap) -> None:
    deliver(server, "one", "two", "three")
    other = client(server)
    other.uid("STORE", other.uid("SEARCH", "SUBJECT two")[1][0].decode(), "+FLAGS", "(\\Deleted)")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        assert subjects(mailbox.fetch(0)) == ["one", "three"]
    other.logout()


@pytest.mark.parametrize(
    "told",
    [[], [b'* 1 FETCH (UID 3 BODY[] "")'], [b"* 1 FETCH (UID 3 BODY[] NIL)"], [b"* 1 FETCH (UID 3 BODY[] {0}", b")"]],
    ids=["nothing", "empty", "nil", "no bytes"],
)
def test_mail_that_vanishes_between_list_and_fetch_is_left_out(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], told: list[bytes]
) -> None:
    def answer(command: str) -> list[bytes]:
        if command.startswith("EXAMINE"):
            return [b"* OK [UIDVALIDITY 7] x", b"%s OK done"]
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH 3 4 5", b"%s OK done"]
        if "RFC822.SIZE" in command:
            return [b"* 1 FETCH (UID 3 RFC822.SIZE 2)", b"* 2 FETCH (UID 4 RFC822.SIZE 2)", b"%s OK done"]
        if command.startswith("UID FETCH 4"):
            return [b"* 2 FETCH (UID 4 BODY[] {2}", b"hi)", b"%s OK done"]
        if command.startswith("UID FETCH 3"):
            return [*told, b"%s OK done"]
        return []

    with Mailbox.open(account(scripted(answer).port)) as mailbox:
        mailbox.select()
        assert [found.uid for found in mailbox.fetch(0)] == [4]


def test_a_mail_that_is_too_large_comes_as_its_headers_and_a_sentence(server: Imap) -> None:
    deliver(server, "small")
    other = client(server)
    large = mail(
        "Subject: large", "Content-Type: multipart/mixed;\r\n boundary=b", body="--b\r\n\r\n" + "x" * 1_500_000
    )
    other.append("INBOX", "", imaplib.Time2Internaldate(datetime.now(UTC)), large)
    other.logout()
    deliver(server, "after")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        found = list(mailbox.fetch(0, max_bytes=1_000_000))
    assert [one.raw is None for one in found] == [False, True, False]
    stub = message(found[1].body)
    assert stub.subject == "large"
    assert stub.sender.address == "maya@ortiz.example"
    assert stub.text == "This mail of 1 MB was too large to fetch. It is still in the mailbox."


def test_a_mail_the_server_cannot_hand_over_does_not_hold_up_the_next(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    good = mail("Subject: good")

    def answer(command: str) -> list[bytes]:
        if command.startswith("EXAMINE"):
            return [b"* OK [UIDVALIDITY 7] x", b"* OK [UIDNEXT 9] x", b"* 2 EXISTS", b"%s OK done"]
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH 3 5", b"%s OK done"]
        if "RFC822.SIZE" in command:
            meta = b'FLAGS () RFC822.SIZE 99 INTERNALDATE "22-Nov-2025 09:30:00 +0000")'
            return [
                b"* 1 FETCH (UID 3 " + meta,
                b"* 9 FETCH (FLAGS (\\Seen))",
                b"* 2 FETCH (UID 5 " + meta,
                b"%s OK done",
            ]
        if command == "UID FETCH 3 (UID BODY.PEEK[])":
            return [b"%s NO unknown token"]
        if command == "UID FETCH 3 (UID FLAGS)":
            return [b"* 1 FETCH (UID 3 FLAGS ())", b"%s OK done"]
        if "HEADER" in command:
            return [b"%s BAD never"]
        if command == "UID FETCH 5 (UID BODY.PEEK[])":
            size = str(len(good)).encode()
            return [b"* 9 FETCH (FLAGS ())", b"* 2 FETCH (UID 5 BODY[] {" + size + b"}", good + b")", b"%s OK done"]
        return []

    server = scripted(answer)
    with Mailbox.open(account(server.port)) as mailbox:
        assert mailbox.select() == (7, 9)
        broken, fine = mailbox.fetch(2)
    assert (broken.uid, broken.raw) == (3, None)
    assert b"could not hand over this mail" in broken.body
    assert (fine.uid, fine.raw) == (5, good)
    assert not any("Seen" in command or "STORE" in command for command in server.heard)


def test_a_wrong_password_is_told_from_other_trouble(server: Imap) -> None:
    with pytest.raises(ConnectionLost) as caught:
        Mailbox.open(account(server.port, password="wrong-canary"))
    assert caught.value.refused
    assert caught.value.reason == "127.0.0.1 does not accept this user name and password."
    assert "canary" not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    "said",
    [
        b"[UNAVAILABLE] Too many simultaneous connections",
        b"[INUSE] Somebody else has it open",
        b"[SERVERBUG] Internal error",
        b"[LIMIT] Not so fast",
        b"[ALERT] Account exceeded command or bandwidth limits.",
    ],
)
def test_a_busy_server_does_not_look_like_a_wrong_password(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], said: bytes
) -> None:
    server = scripted(lambda command: [b"%s NO " + said] if "LOGIN" in command else [])
    with pytest.raises(ConnectionLost) as caught:
        Mailbox.open(account(server.port))
    assert not caught.value.refused


def test_a_missing_folder_is_said_in_words(server: Imap) -> None:
    with Mailbox.open(account(server.port)) as mailbox, pytest.raises(ConnectionLost, match='no folder "Nowhere"'):
        mailbox.select("Nowhere")


def test_a_folder_name_in_any_language_is_found(server: Imap) -> None:
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox._connection.folder.create("Entwürfe")
        assert mailbox.select("Entwürfe")[0] > 0


def test_special_folders_are_found_by_their_flag_and_else_by_their_name(
    server: Imap, scripted: Callable[[Callable[[str], list[bytes]]], Scripted]
) -> None:
    listed = [
        b'* LIST (\\HasNoChildren) "/" INBOX', b'* LIST (\\Sent) "/" "Versand"', b'* LIST () "/" "Sent"', b"%s OK done",
    ]  # fmt: skip
    flagged = scripted(lambda command: listed if command.startswith("LIST") else [])
    with Mailbox.open(account(flagged.port)) as mailbox:
        assert (mailbox.special("\\Sent"), mailbox.special("\\Junk")) == ("Versand", "")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox._connection.folder.create("Sent Items")
        assert mailbox.special("\\Sent") == "Sent Items"


def test_the_last_days_begin_below_their_first_mail(server: Imap) -> None:
    for days in (9, 5, 2, 0):
        deliver(server, f"{days} days old", when=datetime.now(UTC) - timedelta(days=days))
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        first = mailbox.newest() - 3
        assert mailbox.before((datetime.now(UTC) - timedelta(days=6)).date()) == first
        assert mailbox.before((datetime.now(UTC) + timedelta(days=2)).date()) == mailbox.newest()


def test_what_is_here_may_be_flagged_or_moved_for_those_who_use_the_mailbox_too(server: Imap) -> None:
    deliver(server, "one", "two", "three")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select(writable=True)
        uids = [mail.uid for mail in mailbox.fetch(0)]
        mailbox.flag(uids[-3:-2])
        mailbox.move(uids[-2:], "Erledigt & abgelegt")
        mailbox.move([], "never made")
        assert [mail.uid for mail in mailbox.fetch(0)] == uids[:-2]
        mailbox.select("Erledigt & abgelegt")
        assert subjects(mailbox.fetch(0)) == ["two", "three"]
        assert not mailbox._connection.folder.exists("never made")
    assert flags(server, uids[-3]) == {"\\Seen", "\\Flagged"}


def test_where_a_server_cannot_move_only_our_own_mail_is_removed(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    def answer(command: str) -> list[bytes]:
        if command == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1 UIDPLUS", b"%s OK done"]
        if command.startswith("SELECT"):
            return [b"* OK [UIDVALIDITY 7] x", b"* 2 EXISTS", b"%s OK done"]
        return [b'* LIST () "/" "Done"', b"%s OK done"] if command.startswith("LIST") else []

    server = scripted(answer)
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select(writable=True)
        mailbox.move([3, 5], "Done")
    assert [each for each in server.heard if each.startswith("UID")] == [
        'UID COPY 3,5 "Done"', "UID STORE 3,5 +FLAGS.SILENT (\\Seen \\Deleted)", "UID EXPUNGE 3,5",
    ]  # fmt: skip


def test_a_mail_that_was_given_up_is_not_asked_for_again(server: Imap) -> None:
    deliver(server, "bad", "good")
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        bad = mailbox.newest() - 1
        found = list(mailbox.fetch(bad - 1, given_up={bad}))
        assert mailbox.fetching == 0
    assert [mail.raw is None for mail in found] == [True, False]
    assert b"could not hand over" in found[0].body


def test_a_session_that_hangs_can_be_ended_from_outside(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    server = scripted(lambda command: [b"SILENCE"] if command.startswith("EXAMINE") else [])
    with Mailbox.open(account(server.port)) as mailbox:
        threading.Timer(0.1, mailbox.cut).start()
        with pytest.raises(ConnectionLost):
            mailbox.select()


def test_waiting_ends_when_mail_arrives(server: Imap) -> None:
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        sender = threading.Timer(0.2, deliver, (server, "news"))
        sender.start()
        assert mailbox.wait(20) is True
        sender.join()
        assert subjects(mailbox.fetch(0)) == ["news"]
        assert mailbox.wait(0.1) is False
        assert mailbox.wait(0.1) is False


def test_mail_that_came_just_before_waiting_is_not_missed(server: Imap) -> None:
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        assert list(mailbox.fetch(0)) == []
        deliver(server, "between fetch and wait")
        assert mailbox.wait(20) is True


@pytest.mark.parametrize("go_ahead", [b"+ idling\r\n* 5 EXISTS", b"* 5 EXISTS\r\n+ idling", b"+ idling\r\n* 1 RECENT"])
def test_news_around_the_go_ahead_ends_the_wait(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], go_ahead: bytes
) -> None:
    def answer(command: str) -> list[bytes]:
        if command.startswith("EXAMINE"):
            return [b"* OK [UIDVALIDITY 7] x", b"* 4 EXISTS", b"%s OK done"]
        return [go_ahead] if command == "IDLE" else []

    with Mailbox.open(account(scripted(answer).port)) as mailbox:
        mailbox.select()
        started = time.monotonic()
        assert mailbox.wait(1) is True
        if b"+ idling\r\n" in go_ahead:
            assert time.monotonic() - started < 1


def test_a_refused_idle_is_a_lost_connection(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    server = scripted(lambda command: [b"%s NO not now"] if command == "IDLE" else [])
    with Mailbox.open(account(server.port)) as mailbox, pytest.raises(ConnectionLost):
        mailbox.wait(20)


def test_a_connection_that_dies_while_waiting_is_noticed_at_once(server: Imap) -> None:
    mailbox = Mailbox.open(account(server.port))
    mailbox.select()
    cutter = threading.Timer(0.2, server.cut)
    cutter.start()
    started = time.monotonic()
    with pytest.raises(ConnectionLost):
        mailbox.wait(20)
    assert time.monotonic() - started < 10
    cutter.join()
    with pytest.raises(ConnectionLost):
        list(mailbox.fetch(0))
    mailbox.close()


def test_a_connection_that_dies_in_mid_fetch_is_lost_not_empty(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    def answer(command: str) -> list[bytes]:
        if command.startswith("EXAMINE"):
            return [b"* OK [UIDVALIDITY 7] x", b"%s OK done"]
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH 3", b"%s OK done"]
        if "RFC822.SIZE" in command:
            return [b"* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 9000)", b"%s OK done"]
        if "BODY.PEEK" in command:
            return [b"* 1 FETCH (UID 3 BODY[] {9000}", b"half of it", b"HANG UP"]
        return []

    with Mailbox.open(account(scripted(answer).port)) as mailbox:
        mailbox.select()
        with pytest.raises(ConnectionLost):
            list(mailbox.fetch(0))


def test_a_server_that_falls_silent_is_given_up(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "READ_SECONDS", 0.3)
    server = scripted(lambda command: [b"SILENCE"] if command.startswith("EXAMINE") else [])
    with Mailbox.open(account(server.port)) as mailbox, pytest.raises(ConnectionLost, match="took too long"):
        mailbox.select()


def test_a_server_without_idle_is_asked_again_after_the_wait(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    server = scripted(
        lambda command: [b"* CAPABILITY IMAP4rev1", b"%s OK done"] if command.startswith("CAPABILITY") else []
    )
    with Mailbox.open(account(server.port)) as mailbox:
        assert mailbox.wait(0.1) is True
        assert "IDLE" not in server.heard


def test_another_uidvalidity_is_told(pem: Path) -> None:
    seen = set()
    for _ in range(2):
        server = Imap(server_context(pem))
        with Mailbox.open(account(server.port)) as mailbox:
            seen.add(mailbox.select()[0])
        server.stop()
    assert len(seen) == 2


def test_an_unknown_certificate_a_wrong_port_and_a_private_host_are_refused(server: Imap, settings: Settings) -> None:
    def reason(secrets: dict[str, str]) -> str:
        known = account(server.port)
        with pytest.raises(ConnectionLost) as caught:
            Mailbox.open(replace(known, secrets={**known.secrets, **secrets}))
        return caught.value.reason

    assert reason({"imap_port": "1"}) == "The mail server 127.0.0.1 does not answer on port 1."
    assert "ssl or starttls" in reason({"imap_security": "none"})
    settings.MAIL_CA_FILE = ""
    assert "certificate" in reason({})
    settings.ALLOW_PRIVATE_HOSTS = False
    assert "inside our own network" in reason({"imap_port": "993"})
    assert "inside our own network" in reason({"imap_port": "993", "imap_host": "::ffff:127.0.0.1"})
    assert "inside our own network" in reason({"imap_port": "993", "imap_host": "0x7f.1"})
    assert "Port 6379" in reason({"imap_port": "6379"})


def test_a_thousand_mails_are_listed_in_batches(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    arrived = datetime(2025, 11, 22, tzinfo=UTC).strftime("%d-%b-%Y %H:%M:%S +0000").encode()

    def answer(command: str) -> list[bytes]:
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH " + b" ".join(str(uid).encode() for uid in range(1000, 0, -1)), b"%s OK done"]
        if "RFC822.SIZE" in command:
            uids = command.split()[2].split(",")
            line = b'* 1 FETCH (UID %d RFC822.SIZE 2 INTERNALDATE "' + arrived + b'" FLAGS ())'
            return [*(line.replace(b"%d", uid.encode()) for uid in uids), b"%s OK done"]
        if command.startswith("EXAMINE"):
            return [b"* OK [UIDVALIDITY 7] x", b"%s OK done"]
        if "BODY.PEEK" in command:
            uid = command.split()[2].encode()
            return [b"* 1 FETCH (UID " + uid + b" BODY[] {2}", b"hi)", b"%s OK done"]
        return []

    server = scripted(answer)
    with Mailbox.open(account(server.port)) as mailbox:
        mailbox.select()
        uids = [found.uid for found in mailbox.fetch(10)]
    assert uids == list(range(11, 1001))
    assert len([command for command in server.heard if "RFC822.SIZE" in command]) == 5


def test_a_mailbox_of_many_years_is_listed_too(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted],
) -> None:
    years = b" ".join(str(uid).encode() for uid in range(1, 200_001))

    def answer(command: str) -> list[bytes]:
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH " + years, b"%s OK done"]
        return [b"* OK [UIDVALIDITY 7] x", b"%s OK done"] if command.startswith("EXAMINE") else []

    with Mailbox.open(account(scripted(answer).port)) as mailbox:
        mailbox.select()
        assert mailbox.newest() == 200_000
