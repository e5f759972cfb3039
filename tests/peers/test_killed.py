"""The watcher as the process it is, killed at random while Dovecot has mail for it: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from connectors.models import Connector, MailFolder, Receipt
from inbox.intake import take_in
from inbox.models import Entry
from tests.payloads.email.letters import mail
from tests.peers.dovecot import Dovecot
from tests.stack import until

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
MAILS = int(os.environ.get("MAILS", "1000"))
KILLS = 3


@pytest.fixture
def shop(server: Dovecot, mailbox: Any) -> Connector:
    mailbox.addresses, mailbox.credentials = ["support@shop.example"], dict(server.account().secrets)
    mailbox.options = {"start": "all", "sent_folder": "none"}
    mailbox.save()
    assert isinstance(mailbox, Connector)
    return mailbox


class Process:
    """`manage.py watch_mail` on the database of this test."""

    def __init__(self, server: Dovecot) -> None:
        base = connection.settings_dict
        place = (
            f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST'] or 'localhost'}:{base['PORT']}/{base['NAME']}"
        )
        self.environment = {
            **os.environ, "DATABASE_URL": place, "MAIL_CA_FILE": str(server.pem), "ALLOW_PRIVATE_HOSTS": "1",
        }  # fmt: skip
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """A killed one's lease has run out by then."""
        MailFolder.objects.update(leased_until=None)
        self.running = subprocess.Popen([sys.executable, "manage.py", "watch_mail"], cwd=ROOT, env=self.environment)

    def kill(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()


@pytest.fixture
def process(server: Dovecot) -> Iterator[Process]:
    one = Process(server)
    yield one
    one.kill()


def test_killed_at_random_it_loses_and_doubles_nothing(server: Dovecot, shop: Connector, process: Process) -> None:
    for number in range(MAILS):
        raw = mail(f"Subject: mail {number}", f"Message-ID: <{number}@ortiz.example>", body=f"number {number}.")
        server.put(f"{number:06}.{number}.host", raw)
    for turn in range(1, KILLS + 1):
        process.start()
        here = Receipt.objects.count()
        enough = here + random.randrange(1, max(2, MAILS // KILLS)) if turn < KILLS else MAILS
        until(lambda wanted=enough: Receipt.objects.count() >= wanted, f"{enough} mails were read", 90)  # type: ignore[misc]
        process.kill()
    for pk in Receipt.objects.values_list("pk", flat=True):
        take_in(pk)
    texts = Entry.objects.filter(kind="message").values_list("text", flat=True)
    assert sorted(texts) == sorted(f"number {number}." for number in range(MAILS))
    assert Receipt.objects.count() == MAILS


def test_new_uids_double_nothing_that_is_here(server: Dovecot, shop: Connector, process: Process) -> None:
    for number in range(3):
        server.put(f"{number}.x.host", mail(f"Message-ID: <{number}@ortiz.example>", body=f"number {number}"))
    process.start()
    until(lambda: Receipt.objects.count() == 3, "3 mails were read", 90)
    process.kill()
    server.admin("mailbox", "update", "--uid-validity", "4711", "INBOX")
    server.put("9.x.host", mail("Message-ID: <9@ortiz.example>", body="number 9"))
    process.start()
    until(lambda: Receipt.objects.count() == 7, "7 mails were read", 90)
    for pk in Receipt.objects.values_list("pk", flat=True):
        take_in(pk)
    texts = Entry.objects.filter(kind="message").values_list("text", flat=True)
    assert sorted(texts) == ["number 0", "number 1", "number 2", "number 9"]
