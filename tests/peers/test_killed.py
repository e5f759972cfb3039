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
KILLS = 10
TAKEN_IN = 100  # of the receipts, as a sample: that they are read rightly is tested elsewhere


@pytest.fixture
def shop(server: Dovecot, mailbox: Any) -> Connector:
    mailbox.addresses, mailbox.credentials = ["support@shop.example"], dict(server.account().secrets)
    mailbox.options = {"start": "all", "sent_folder": "none"}
    mailbox.save()
    assert isinstance(mailbox, Connector)
    return mailbox


# All of it is loaded once; each watcher is a fork of that, so that a kill costs no start.
LOADED = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from inbox.management.commands import watch_mail
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        call_command("watch_mail")
        os._exit(0)
    print(pid, flush=True)
"""


class Process:
    """`manage.py watch_mail` on the database of this test."""

    def __init__(self, server: Dovecot) -> None:
        base = connection.settings_dict
        place = (
            f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST'] or 'localhost'}:{base['PORT']}/{base['NAME']}"
        )
        environment = {
            **os.environ, "DATABASE_URL": place, "MAIL_CA_FILE": str(server.pem), "ALLOW_PRIVATE_HOSTS": "1",
        }  # fmt: skip
        self.loaded = subprocess.Popen(
            [sys.executable, "-c", LOADED], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.running = 0

    def start(self) -> None:
        """A killed one's lease has run out by then."""
        MailFolder.objects.update(leased_until=None)
        assert self.loaded.stdin is not None
        assert self.loaded.stdout is not None
        self.loaded.stdin.write(b"\n")
        self.loaded.stdin.flush()
        self.running = int(self.loaded.stdout.readline())

    def kill(self) -> None:
        if self.running:
            os.kill(self.running, signal.SIGKILL)
            until(lambda: not Path(f"/proc/{self.running}").exists(), "it is dead")
        self.running = 0

    def end(self) -> None:
        self.kill()
        self.loaded.kill()
        self.loaded.communicate()


@pytest.fixture
def process(server: Dovecot) -> Iterator[Process]:
    one = Process(server)
    yield one
    one.end()


def deliver(server: Dovecot, numbers: range) -> None:
    for number in numbers:
        server.put(f"{number:06}.{number}.host", letter(number))


def letter(number: int) -> bytes:
    return mail(f"Subject: mail {number}", f"Message-ID: <{number}@ortiz.example>", body=f"number {number}.")


def here() -> int:
    return Receipt.objects.count()


def test_killed_at_random_it_loses_and_doubles_nothing(server: Dovecot, shop: Connector, process: Process) -> None:
    deliver(server, range(MAILS))
    delivered, kills = MAILS, 0
    while kills < KILLS:
        before = here()
        enough = before + random.randrange(1, 2 + (delivered - before) // (KILLS - kills + 1))
        process.start()
        until(lambda wanted=enough: here() >= wanted, f"{enough} mails were read", 90)  # type: ignore[misc]
        process.kill()
        kills += here() < delivered
        if here() == delivered:  # it was too fast: a kill counts while mails are missing
            deliver(server, range(delivered, delivered + 100))
            delivered += 100
    process.start()
    until(lambda: here() >= delivered, f"all {delivered} mails were read", 90)
    process.kill()
    bodies = [bytes(body) for body in Receipt.objects.values_list("body", flat=True)]
    assert sorted(bodies) == sorted(map(letter, range(delivered)))
    for pk in Receipt.objects.order_by("?").values_list("pk", flat=True)[:TAKEN_IN]:
        take_in(pk)
    assert Entry.objects.filter(kind="message", text__regex=r"^number \d+\.$").count() == TAKEN_IN


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
