"""A mailbox that could not be read is read again as soon as somebody has repaired it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from connectors.errors import ConnectionLost
from connectors.models import Connector
from inbox.mailboxes import Watcher, watcher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("reconnect", [True, False])
def test_a_repaired_mailbox_is_not_kept_waiting(
    mailbox: Connector, sue: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch, reconnect: bool
) -> None:
    monkeypatch.setattr(watcher, "FIRST_PAUSE", 300.0)
    monkeypatch.setattr(watcher, "LOOK_EVERY", 0.01)
    tried, opened = threading.Event(), threading.Event()

    def watch(self: Watcher) -> None:
        if Connector.objects.get(pk=mailbox.pk).credentials.get("imap_password") != "the right one":
            raise ConnectionLost("The server refused the password.", reconnect=reconnect)
        opened.set()
        self.stopping.set()

    tell = Watcher._tell

    def tells(self: Watcher, error: ConnectionLost) -> None:
        tell(self, error)
        tried.set()

    monkeypatch.setattr(Watcher, "_watch", watch)
    monkeypatch.setattr(Watcher, "_tell", tells)
    reader = Watcher(mailbox.pk)
    reader.start()
    assert tried.wait(10)
    browser = browser_of(sue)
    settings = {"imap_host": "127.0.0.1", "imap_port": "993", "imap_security": "ssl", "imap_username": "help"}
    browser.post(f"/connections/{mailbox.pk}/step/receiving/", {**settings, "imap_password": "the right one"})
    assert opened.wait(10)
    reader.join(10)
    mailbox.refresh_from_db()
    assert not mailbox.needs_reconnect
