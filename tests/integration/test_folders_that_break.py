"""A folder beside the main one that ends every session: what customers write is read all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.adapters.email.imap import Mailbox
from connectors.models import Connector, MailFolder, Receipt
from inbox.mailboxes import Watcher, watcher
from tests.payloads.email.letters import mail
from tests.payloads.email.servers import PASSWORD, USER, Scripted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]
Script = Callable[[str], list[bytes]]


class Office:
    """A server with one mail in INBOX, and a Sent folder that answers with `sent` when its mails are described."""

    def __init__(self) -> None:
        self.sent, self.selected = b"HANG UP", ""

    def answer(self, command: str) -> list[bytes]:
        letter = mail("Subject: question")
        if command.startswith("LIST"):
            return [b'* LIST (\\Sent) "/" "Sent"', b"%s OK done"]
        if command.startswith("EXAMINE"):
            self.selected = command
            return [b"* OK [UIDVALIDITY 7] x", b"* OK [UIDNEXT 9] x", b"%s OK done"]
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH 4", b"%s OK done"]
        if "Sent" in self.selected and command.startswith("UID FETCH"):
            return [self.sent]
        if "RFC822.SIZE" in command:
            return [b"* 1 FETCH (UID 4 FLAGS () RFC822.SIZE 99)", b"%s OK done"]
        if "BODY.PEEK[]" in command:
            return [b"* 1 FETCH (UID 4 BODY[] {%d}" % len(letter), letter + b")", b"%s OK done"]
        return []


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def one(
    scripted: Callable[[Script], Scripted], office: Office, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> Watcher:
    mailbox.credentials = {
        "imap_host": "127.0.0.1", "imap_port": str(scripted(office.answer).port),
        "imap_username": USER, "imap_password": PASSWORD,
    }  # fmt: skip
    mailbox.options = {"start": "all"}
    mailbox.save()
    MailFolder.objects.create(connector=mailbox, name="Sent", uidvalidity=7)
    MailFolder.objects.create(connector=mailbox, name=watcher.LEASE_ROW)
    found = Watcher(mailbox.pk)
    monkeypatch.setattr(Mailbox, "wait", lambda *_: found.stopping.set())
    return found


def failure() -> str:
    return Connector.objects.get().failure


def test_a_folder_that_ends_every_session_does_not_keep_the_inbox_from_being_read(one: Watcher) -> None:
    assert one._turn() > 0
    assert one._turn() == 0
    assert [each.headers["folder"] for each in Receipt.objects.all()] == ["INBOX"]
    assert failure() == 'The folder "Sent" could not be read: The connection to the mail server 127.0.0.1 was lost.'


def test_a_folder_that_broke_is_read_again_after_a_while(one: Watcher, office: Office) -> None:
    one._turn()
    one._turn()
    office.sent = b"%s OK all of it is gone"
    one.resting = {place: (0.0, why) for place, (_, why) in one.resting.items()}
    one.stopping.clear()
    assert one._turn() == 0
    assert failure() == ""


def test_a_mail_that_ends_every_session_is_given_up_in_another_folder_too(
    one: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "FOLDER_REST", 0.0)
    paused = [one._turn() > 0 for _ in range(7)]
    assert paused == 6 * [True] + [False]  # three until they are described one by one, three for the one at fault
    assert sorted(each.headers["folder"] for each in Receipt.objects.all()) == ["INBOX", "Sent"]
