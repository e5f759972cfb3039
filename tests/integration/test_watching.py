"""A mailbox that is read: several folders, what becomes of the mail there, and a session that goes wrong."""

from __future__ import annotations

import imaplib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.adapters.email.connect import trust
from connectors.adapters.email.imap import Mailbox
from connectors.errors import ConnectionLost
from connectors.models import Connector, MailFolder, Receipt
from inbox.intake import take_in
from inbox.mailboxes import Place, Watcher, places, watcher
from inbox.mailboxes.folders import Broken, read
from inbox.models import Entry
from tests.payloads.email.letters import mail
from tests.payloads.email.servers import PASSWORD, USER, Imap, Scripted
from tests.stack import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]


def at(port: int, connector: Connector, **options: str) -> Connector:
    connector.credentials = {
        "imap_host": "127.0.0.1", "imap_port": str(port), "imap_username": USER, "imap_password": PASSWORD,
    }  # fmt: skip
    connector.addresses, connector.options = ["support@shop.example"], options
    connector.save()
    return connector


class Program:
    """A person's mail program on the same mailbox."""

    def __init__(self, server: Imap) -> None:
        self.client = imaplib.IMAP4_SSL("127.0.0.1", server.port, ssl_context=trust(), timeout=10)
        self.client.login(USER, PASSWORD)

    def put(self, folder: str, *subjects: str, to: str = "support@shop.example", days_ago: int = 0) -> None:
        self.client.create(folder)
        at = imaplib.Time2Internaldate(datetime.now(UTC) - timedelta(days=days_ago))
        for subject in subjects:
            raw = mail(f"To: {to}", f"Subject: {subject}", f"Message-ID: <{subject}@x.example>", body=subject)
            assert self.client.append(folder, "", at, raw)[0] == "OK"

    def count(self, folder: str) -> int:
        return int(self.client.select(folder, readonly=True)[1][0] or b"0")


def read_all(connector: Connector) -> None:
    with Mailbox.open(connector.account()) as box:
        for place in places(connector, box):
            read(connector, place, box, lambda: True, Broken())


def subjects() -> list[str]:
    found = [
        bytes(each.body).split(b"Subject: ")[1].split(b"\r\n")[0].decode() for each in Receipt.objects.order_by("pk")
    ]
    return sorted(found)


def test_all_folders_that_are_named_are_read_and_sent_mail_too(server: Imap, mailbox: Any) -> None:
    program = Program(server)
    for folder in ("Orders", "Sent", "Junk"):
        program.put(folder, f"old-{folder}")
    shop = at(server.port, mailbox, folder="INBOX; Orders", read_junk="yes")
    read_all(shop)
    assert not Receipt.objects.exists()
    for folder in ("INBOX", "Orders", "Sent", "Junk", "Elsewhere"):
        program.put(folder, f"new-{folder}")
    read_all(shop)
    read_all(shop)
    assert subjects() == ["new-INBOX", "new-Junk", "new-Orders", "new-Sent"]
    uses = {each.headers["folder"]: each.headers.get("use") for each in Receipt.objects.all()}
    assert uses == {"INBOX": None, "Orders": None, "Sent": "sent", "Junk": "junk"}
    with Mailbox.open(shop.account()) as box:
        assert places(shop, box)[-1] == Place("INBOX")


def test_sent_mail_may_be_left_alone(server: Imap, mailbox: Any) -> None:
    Program(server).put("Sent", "x")
    with Mailbox.open(at(server.port, mailbox, sent_folder="none").account()) as box:
        assert places(mailbox, box) == [Place("INBOX")]


def test_an_answer_from_a_mail_program_is_in_the_case_and_ends_the_wait(server: Imap, mailbox: Any) -> None:
    program = Program(server)
    program.put("Sent", "before")
    shop = at(server.port, mailbox)
    read_all(shop)
    program.put("INBOX", "question")
    read_all(shop)
    take_in(Receipt.objects.get().pk)
    question = Entry.objects.get(kind="message")
    program.put("Sent", "answer", to="maya@ortiz.example")
    read_all(shop)
    take_in(Receipt.objects.latest("pk").pk)
    answer = Entry.objects.get(sent_outside=True)
    assert (answer.case_id, answer.text) == (question.case_id, "answer")
    assert answer.case is not None
    assert not answer.case.open_entries().exists()


@pytest.mark.parametrize(("option", "left"), [("", 3), ("flag", 3), ("move", 1)])
def test_what_is_here_is_left_flagged_or_moved(server: Imap, mailbox: Any, option: str, left: int) -> None:
    shop = at(server.port, mailbox, after_import=option, done_folder="Done")
    program = Program(server)
    was = program.count("INBOX")
    read_all(shop)
    program.put("INBOX", "one", "two")
    read_all(shop)
    assert subjects() == ["one", "two"]
    assert program.count("INBOX") - was == (0 if left == 1 else 2)
    if option == "move":
        assert program.count("Done") == 2
    if option == "flag":
        program.client.select("INBOX")
        assert len(program.client.search(None, "FLAGGED", "SEEN", "SUBJECT", "o")[1][0].split()) >= 2


def test_the_last_days_are_read_at_first_when_asked_for(server: Imap, mailbox: Any) -> None:
    program = Program(server)
    for days in (20, 6, 1):
        program.put("Orders", f"{days}-days", days_ago=days)
    read_all(at(server.port, mailbox, folder="Orders", start="7"))
    assert subjects() == ["1-days", "6-days"]


def test_a_folder_that_is_gone_is_said_and_keeps_nobody_from_the_others(
    server: Imap, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at(server.port, mailbox, folder="INBOX; Gone")
    running = Watcher(shop.pk)
    monkeypatch.setattr(Mailbox, "wait", lambda *_: running.stopping.set())
    running.run()
    assert MailFolder.objects.filter(connector=shop, name="INBOX").exists()
    shop.refresh_from_db()
    assert shop.failure == 'There is no folder "Gone" in this mailbox.'


def poisoned(command: str) -> list[bytes]:
    """A server that dies of handing over the mail with UID 3."""
    good = mail("Subject: good")
    if command.startswith("EXAMINE"):
        return [b"* OK [UIDVALIDITY 7] x", b"* OK [UIDNEXT 9] x", b"* 2 EXISTS", b"%s OK done"]
    if command.startswith("UID SEARCH"):
        return [b"* SEARCH 3 5", b"%s OK done"]
    if "RFC822.SIZE" in command:
        meta = b'FLAGS () RFC822.SIZE 99 INTERNALDATE "22-Nov-2025 09:30:00 +0000")'
        return [b"* 1 FETCH (UID 3 " + meta, b"* 2 FETCH (UID 5 " + meta, b"%s OK done"]
    if "FETCH 3 " in command:
        return [b"HANG UP"]
    if "FETCH 5 " in command:
        return [b"* 2 FETCH (UID 5 BODY[] {%d}" % len(good), good + b")", b"%s OK done"]
    return []


def test_a_mail_that_ends_every_session_is_given_up_and_shown_and_the_next_ones_arrive(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], mailbox: Any
) -> None:
    shop = at(scripted(poisoned).port, mailbox, start="all")
    broken: Broken = Counter()
    for _ in range(3):
        with pytest.raises(ConnectionLost), Mailbox.open(shop.account()) as box:
            read(shop, Place("INBOX"), box, lambda: True, broken)
    assert not Receipt.objects.exists()
    with Mailbox.open(shop.account()) as box:
        read(shop, Place("INBOX"), box, lambda: True, broken)
    bad, good = Receipt.objects.order_by("pk")
    for receipt in (bad, good):
        take_in(receipt.pk)
        receipt.refresh_from_db()
    assert (bad.state, good.state) == ("quarantined", "done")
    assert b"could not hand over this mail" in bytes(bad.body)


def test_only_one_of_two_watchers_reads_and_the_other_takes_over(server: Imap, mailbox: Any) -> None:
    shop = at(server.port, mailbox)
    first, second = Watcher(shop.pk), Watcher(shop.pk)
    MailFolder.objects.create(connector=shop, name=watcher.LEASE_ROW)
    assert first._lease()
    assert not second._lease()
    assert first._lease()
    first.release()
    assert second._lease()
    MailFolder.objects.update(leased_until=datetime.now(UTC) - timedelta(seconds=1))
    assert first._lease()


def test_a_watcher_that_lost_its_lease_while_it_slept_lets_go(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], mailbox: Any
) -> None:
    asleep = scripted(lambda command: [b"SILENCE"] if command.startswith("EXAMINE") else [])
    one = Watcher(at(asleep.port, mailbox).pk)
    one.start()
    until(lambda: any(each.startswith("EXAMINE") for each in asleep.heard), "it reads")
    MailFolder.objects.update(leased_by="another", leased_until=datetime.now(UTC) + timedelta(minutes=1))
    one.keep()
    until(lambda: one.mailbox is None, "it let go of the mailbox")
    assert finish(one)
    assert MailFolder.objects.get(name=watcher.LEASE_ROW).leased_by == "another"


def test_a_server_that_drips_is_left_after_a_while(
    scripted: Callable[[Callable[[str], list[bytes]]], Scripted], mailbox: Any
) -> None:
    stuck = scripted(lambda command: [b"SILENCE"] if command.startswith("EXAMINE") else [])
    one = Watcher(at(stuck.port, mailbox).pk)
    one.start()
    until(lambda: any(each.startswith("EXAMINE") for each in stuck.heard), "it reads")
    one.keep()
    assert one.mailbox is not None
    one.progress_at -= watcher.STUCK_SECONDS + 1
    one.keep()
    until(lambda: one.mailbox is None, "it let go of the mailbox")
    assert finish(one)
    mailbox.refresh_from_db()
    assert mailbox.failure == "The connection to the mail server 127.0.0.1 was lost."


def test_after_a_good_while_the_next_pause_is_short_again(
    server: Imap, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> bool:
        raise ConnectionLost("Gone.")

    one = Watcher(at(server.port, mailbox).pk)
    MailFolder.objects.create(connector=mailbox, name=watcher.LEASE_ROW)
    one.pause = 400.0
    monkeypatch.setattr(Mailbox, "wait", lost)
    assert one._turn() == 2 * watcher.FIRST_PAUSE


def test_a_connector_that_is_set_up_anew_is_read_anew(
    server: Imap, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at(server.port, mailbox)

    def change(*_: object) -> bool:
        Connector.objects.update(options={"folder": "Orders"})
        return False

    monkeypatch.setattr(Mailbox, "wait", change)
    MailFolder.objects.create(connector=shop, name=watcher.LEASE_ROW)
    assert Watcher(shop.pk)._turn() == 0.0


def finish(one: Watcher) -> bool:
    one.stopping.set()
    one.join(20)
    return not one.is_alive()
