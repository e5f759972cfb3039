"""A server that does not let us in: how often it is asked, what stands still meanwhile, and how it goes on."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
import time_machine
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.email import oauth
from connectors.adapters.email.imap import Mailbox
from connectors.errors import ConnectionLost, SendFailed
from connectors.messages import Channel, Check, OutboundMessage, Sent
from connectors.models import Connector, MailFolder, Side
from inbox import checking, outbox, renewing
from inbox.mailboxes import Watcher, watcher
from inbox.models import Delivery, State
from inbox.views.connections import connection_of, connections, endangered
from tests import make
from tests.payloads.email.servers import Scripted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]
GOOGLE = "https://oauth2.googleapis.com/token"
Answers = Callable[[Callable[[str], list[bytes]]], Scripted]


def fresh(connector: Connector) -> Connector:
    return Connector.objects.get(pk=connector.pk)


def one_turn(connector: Connector) -> float:
    MailFolder.objects.get_or_create(connector=connector, name=watcher.LEASE_ROW)
    reader = Watcher(connector.pk)
    pause = reader._turn()
    reader.release()
    return pause


def turned_away(command: str) -> list[bytes]:
    return [b"%s NO [AUTHENTICATIONFAILED] Invalid credentials"] if command.startswith("LOGIN") else []


def with_password(connector: Connector, server: Scripted) -> None:
    secrets = {"imap_host": "127.0.0.1", "imap_port": str(server.port), "imap_username": "u", "imap_password": "p"}
    connector.keep(secrets, {})


class Google:
    """A mailbox that opens with one token only."""

    def __init__(self, scripted: Answers, connector: Connector) -> None:
        self.opens_with = "access-2"
        self.asked: list[str] = []
        self.is_challenged = False
        server = scripted(self.answer)
        lasts = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        connector.keep(
            {
                "oauth_provider": "google", "oauth_refresh_token": "refresh-1", "oauth_access_token": "access-1",
                "oauth_expires_at": lasts, "imap_host": "127.0.0.1", "imap_port": str(server.port),
                "imap_username": "support@shop.example",
            },
            {},
        )  # fmt: skip

    def answer(self, command: str) -> list[bytes]:
        if command == "AUTHENTICATE XOAUTH2":
            self.is_challenged = True
            return [b"+ "]
        if self.is_challenged and command:
            self.is_challenged = False
            said = base64.b64decode(command).decode()
            self.asked.append(said.partition("Bearer ")[2].strip("\x01"))
            return [b"%s OK in"] if self.asked[-1] == self.opens_with else [b"+ eyJzdGF0dXMiOiI0MDAifQ=="]
        return [] if command else [b"%s NO [AUTHENTICATIONFAILED] Invalid credentials"]


def renews(*tokens: str) -> responses.RequestsMock:
    provider = responses.RequestsMock(assert_all_requests_are_fired=False)
    for token in tokens:
        provider.post(GOOGLE, json={"access_token": token, "expires_in": 3600})
    return provider


def test_a_refused_token_is_renewed_at_once_and_the_mailbox_is_read_again(
    scripted: Answers, mailbox: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    google = Google(scripted, mailbox)
    Connector.objects.update(renew_at=now() + timedelta(minutes=4))
    one_turn(mailbox)
    assert not fresh(mailbox).asks_for_a_person
    assert renewing.due() == [mailbox.pk]
    with pytest.raises(ConnectionLost, match="being renewed"):
        oauth.access_token(fresh(mailbox).credentials)
    with renews("access-2"):
        assert renewing.renew(mailbox.pk)
    assert fresh(mailbox).failure == ""  # which is what ends the pause of whoever reads the mailbox
    Mailbox.open(fresh(mailbox).account()).close()
    assert google.asked == ["access-1", "access-2"]


def test_a_mailbox_that_refuses_renewed_tokens_as_well_asks_for_a_person(scripted: Answers, mailbox: Connector) -> None:
    google = Google(scripted, mailbox)
    google.opens_with = "none of ours"
    with renews("access-2", "access-3", "access-4"):
        for _ in range(5):
            one_turn(mailbox)
            for pk in renewing.due():
                renewing.renew(pk)
    assert google.asked == ["access-1", "access-2", "access-3"]
    assert fresh(mailbox).asks_for_a_person
    assert fresh(mailbox).failure == "127.0.0.1 does not accept this sign-in any more."


def test_a_token_that_was_renewed_meanwhile_is_not_dropped(mailbox: Connector) -> None:
    mailbox.keep({"oauth_access_token": "newer"}, {})
    mailbox.forget_secret("older")
    assert fresh(mailbox).credentials["oauth_access_token"] == "newer"


def test_a_dead_grant_asks_for_a_person_at_once_and_is_not_asked_for_again(
    scripted: Answers, mailbox: Connector
) -> None:
    google = Google(scripted, mailbox)
    mailbox.forget_secret("access-1")
    with responses.RequestsMock() as provider:
        provider.post(GOOGLE, status=400, json={"error": "invalid_grant"})
        renewing.renew(mailbox.pk)
    Connector.objects.update(renew_at=None)
    assert renewing.due() == []
    one_turn(mailbox)
    assert google.asked == []
    assert "Sign in again" in fresh(mailbox).failure
    assert fresh(mailbox).stops_sending


def test_a_refused_password_is_tried_three_times_and_then_a_person_is_asked(
    scripted: Answers, mailbox: Connector, sue: Any, browser_of: Any
) -> None:
    server = scripted(turned_away)
    with_password(mailbox, server)
    standing = []
    for _ in range(6):
        assert one_turn(mailbox) == watcher.REFUSED_PAUSE
        standing.append(fresh(mailbox).asks_for_a_person)
    assert standing == [False, False, True, True, True, True]
    assert sum(each.startswith("LOGIN") for each in server.heard) == 3
    assert "Until then nothing is received." in connection_of(fresh(mailbox)).words
    assert [each.connector for each in endangered()] == [mailbox]
    browser_of(sue).post(f"/connections/{mailbox.pk}/step/receiving/", {"imap_host": "127.0.0.1"})
    fresh(mailbox).begins_anew()
    one_turn(mailbox)
    assert sum(each.startswith("LOGIN") for each in server.heard) == 4


def test_a_mailbox_that_let_nobody_in_is_not_searched_for_a_mail_of_unknown_fate(
    scripted: Answers, mailbox: Connector, maya: Any, ana: Any
) -> None:
    server = scripted(turned_away)
    with_password(mailbox, server)
    delivery = make.answers(ana, make.says(maya, mailbox, "hi").case, "hello").deliveries.get()
    assert Delivery.objects.claim(delivery.pk)
    Delivery.objects.update(claimed_at=now() - timedelta(minutes=10))
    for _ in range(3):
        fresh(mailbox).failed("No.", Side.IN, refused=True)
    outbox.look_up_lost()
    assert server.heard == []
    assert Delivery.objects.get().state == State.UNKNOWN


def test_a_server_that_lets_us_in_again_ends_the_count(mailbox: Connector) -> None:
    for _ in range(2):
        fresh(mailbox).failed("No.", Side.IN, refused=True)
    fresh(mailbox).succeeded(Side.IN)
    fresh(mailbox).failed("No.", Side.IN, refused=True)
    assert not fresh(mailbox).asks_for_a_person


def test_a_mailbox_that_cannot_be_read_goes_on_sending(mailbox: Connector, maya: Any, ana: Any, far_end: Any) -> None:
    asked = make.says(maya, mailbox, "hi")
    for _ in range(3):
        fresh(mailbox).failed("No.", Side.IN, refused=True)
    sent = far_end()
    delivery = make.answers(ana, asked.case, "hello").deliveries.get()
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, sent) == (State.SENT, ["hello"])
    assert fresh(mailbox).stops_reading


def test_what_a_person_must_see_to_is_not_hidden_by_what_passes(mailbox: Connector) -> None:
    fresh(mailbox).failed("The sign-in has ended.", Side.OUT, reconnect=True)
    fresh(mailbox).failed("It is slow.", Side.IN)
    fresh(mailbox).succeeded(Side.IN)
    assert (fresh(mailbox).failure, fresh(mailbox).stops_sending) == ("The sign-in has ended.", True)


@pytest.fixture
def far_end(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`far_end(refusal)`: the mail server refuses, or takes, and what it took."""

    def behaves(refusal: SendFailed | None = None) -> list[str]:
        taken: list[str] = []

        def send(self: Any, account: Any, message: OutboundMessage) -> Sent:
            if refusal:
                raise refusal
            taken.append(message.text)
            return Sent(f"m{len(taken)}")

        monkeypatch.setattr(type(ADAPTERS[Channel.EMAIL]), "send", send)
        return taken

    return behaves


def rounds(minutes: int) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(minutes):
            clock.shift(60)
            outbox.deliver_due()


def test_a_reply_waits_for_a_paused_connection_and_says_so(
    mailbox: Connector, maya: Any, ana: Any, far_end: Any, browser_of: Any
) -> None:
    sent = far_end()
    asked = make.says(maya, mailbox, "hi")
    delivery = make.answers(ana, asked.case, "hello").deliveries.get()
    Connector.objects.update(is_active=False)
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (State.QUEUED, 0)
    html = browser_of(ana).get(f"/inbox/open/c/{asked.case_id}/", follow=True).content.decode()
    assert "Not sent yet." in html
    assert "Support is paused. An admin can resume it on the health page." in html
    rounds(3)
    assert sent == []
    Connector.objects.update(is_active=True)
    rounds(5)
    assert sent == ["hello"]


@pytest.mark.parametrize("dead", [True, False])
def test_a_reply_whose_sign_in_is_refused_waits_and_leaves_when_we_are_let_in(
    mailbox: Connector, maya: Any, ana: Any, far_end: Any, dead: bool
) -> None:
    far_end(SendFailed("No.", permanent=dead, reconnect=dead, refused=not dead, retry_after=300))
    delivery = make.answers(ana, make.says(maya, mailbox, "hi").case, "hello").deliveries.get()
    outbox.deliver(delivery.pk)
    assert fresh(mailbox).stops_sending is dead
    rounds(20)
    delivery.refresh_from_db()
    assert delivery.state == State.QUEUED
    assert fresh(mailbox).stops_sending
    assert fresh(mailbox).refused_out == (0 if dead else 3)
    sent = far_end()
    fresh(mailbox).begins_anew()
    Delivery.objects.update(not_before=now())
    outbox.deliver_due()
    assert sent == ["hello"]


def test_a_token_refused_to_send_is_renewed_as_well(mailbox: Connector, maya: Any, ana: Any, far_end: Any) -> None:
    mailbox.keep({"oauth_provider": "google", "oauth_access_token": "access-1", "oauth_refresh_token": "r"}, {})
    Connector.objects.update(renew_at=now() + timedelta(minutes=4))
    far_end(SendFailed("No.", permanent=False, refused=True, spent="access-1", retry_after=30))
    delivery = make.answers(ana, make.says(maya, mailbox, "hi").case, "hello").deliveries.get()
    outbox.deliver(delivery.pk)
    assert renewing.due() == [mailbox.pk]
    assert fresh(mailbox).credentials["oauth_access_token"] == ""


def test_those_who_are_refused_at_the_same_moment_count_once(
    mailbox: Connector, maya: Any, ana: Any, far_end: Any
) -> None:
    far_end(SendFailed("No.", permanent=False, refused=True, retry_after=300))
    case = make.says(maya, mailbox, "hi").case
    first, second = (make.answers(ana, case, text).deliveries.get() for text in ("one", "two"))
    claimed = Delivery.objects.claim(second.pk)
    assert claimed
    outbox.deliver(first.pk)
    outbox.sending._refused(claimed, SendFailed("No.", permanent=False, refused=True, retry_after=300))
    assert fresh(mailbox).refused_out == 1


def test_whoever_looks_after_a_connection_sees_that_replies_do_not_leave(
    mailbox: Connector, maya: Any, ana: Any, far_end: Any
) -> None:
    far_end(SendFailed("The server does not answer.", permanent=False))
    case = make.says(maya, mailbox, "hi").case
    make.answers(ana, case, "hello")
    outbox.deliver_due()
    assert "has waited" not in connection_of(mailbox).words
    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        for found in (connection_of(mailbox), *connections()):
            assert found.is_bad
            assert found.words.endswith(f"; a reply in #{case.pk} has waited 2 h to leave")
        far_end()
        outbox.deliver_due()
        assert "has waited" not in connection_of(mailbox).words


def test_what_waits_for_its_next_try_leaves_once_the_connection_was_seen_to_work(
    mailbox: Connector, maya: Any, ana: Any, far_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end(SendFailed("The server does not answer.", permanent=False, retry_after=3000))
    case = make.says(maya, mailbox, "hi").case
    make.answers(ana, case, "hello")
    outbox.deliver_due()
    undoable = make.answers(ana, case, "taken back at will").deliveries.get()
    Delivery.objects.filter(pk=undoable.pk).update(not_before=now() + timedelta(seconds=10))
    sent = far_end()
    for is_well in (False, True):
        monkeypatch.setattr(type(ADAPTERS[Channel.EMAIL]), "check", lambda *_, ok=is_well: [Check("Sending", ok, "")])
        checking.check(mailbox.pk)
        outbox.deliver_due()
        assert sent == (["hello"] if is_well else [])


def test_a_reply_that_waited_two_days_is_given_back_to_the_agent(
    mailbox: Connector, maya: Any, ana: Any, far_end: Any
) -> None:
    sent = far_end()
    delivery = make.answers(ana, make.says(maya, mailbox, "hi").case, "hello").deliveries.get()
    Connector.objects.update(is_active=False)
    with time_machine.travel(now() + timedelta(hours=49), tick=False):
        outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, sent) == (State.FAILED, [])
    assert "is paused" in delivery.reason
