"""Our SMTP against aiosmtpd over a wire that misbehaves: what is known of a mail's fate, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from connectors.adapters.email import EmailAdapter, smtp
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account, EmailHeaders, OutboundFile, OutboundMessage, Sender
from tests.payloads.email.servers import PASSWORD, USER, certificate, server_context, smtp_server
from tests.peers.proxy import Proxy

# More than all buffers on the way hold: otherwise the final dot is on the wire before the cut is known here.
LARGE = OutboundMessage(
    "1", Sender("maya@ortiz.example"), "support@shop.example", "word " * 1_000_000,
    email=EmailHeaders(message_id="t.1@shop.example"),
)  # fmt: skip


class Post:
    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.wire: Proxy | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.content)
        if self.wire is not None:
            self.wire.cut()
        return "250 OK"


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def wire(post: Post, tmp_path: Path, settings: Settings) -> Iterator[Proxy]:
    pem = certificate(tmp_path)
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(pem)
    with smtp_server(post, server_context(pem)) as port, Proxy(port) as between:
        yield between


def send(wire: Proxy, mail: OutboundMessage = LARGE) -> str:
    secrets = {
        "smtp_host": "127.0.0.1", "smtp_port": str(wire.port), "smtp_username": USER, "smtp_password": PASSWORD,
    }  # fmt: skip
    return EmailAdapter().send(Account("1", ("support@shop.example",), secrets=secrets), mail).provider_id


def test_a_mail_arrives_over_a_slow_wire(post: Post, wire: Proxy) -> None:
    wire.rate = 20_000_000
    assert send(wire) == "t.1@shop.example"
    assert len(post.mails) == 1


def test_a_large_mail_may_take_longer_than_any_step_of_it(
    post: Post, wire: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 1.0)
    wire.rate = 4_000_000  # some three seconds
    drawing = OutboundFile("plan.bin", "application/octet-stream", 9_000_000, content=bytes(9_000_000))
    send(wire, replace(LARGE, text="See the plan.", files=(drawing,)))
    assert len(post.mails) == 1


def test_a_line_too_slow_for_the_mail_is_given_up_before_the_final_dot(
    post: Post, wire: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "DATA_SECONDS", 0.2)
    monkeypatch.setattr(smtp, "SLOWEST", 100_000_000)
    wire.rate = 1_000_000
    drawing = OutboundFile("plan.bin", "application/octet-stream", 9_000_000, content=bytes(9_000_000))
    with pytest.raises(SendFailed) as caught:
        send(wire, replace(LARGE, text="See the plan.", files=(drawing,)))
    assert (caught.value.permanent, post.mails) == (False, [])


def test_a_wire_cut_while_the_mail_is_handed_over_may_be_tried_again(post: Post, wire: Proxy) -> None:
    wire.cut_upstream_after = 100_000
    with pytest.raises(SendFailed) as caught:
        send(wire)
    assert not caught.value.permanent
    wire.cut_upstream_after = 0
    send(wire)
    assert len(post.mails) == 1


def test_a_wire_cut_after_the_final_dot_leaves_the_fate_unknown(post: Post, wire: Proxy) -> None:
    post.wire = wire
    with pytest.raises(SendUnknown):
        send(wire)
    assert len(post.mails) == 1


def test_a_wire_that_is_dead_at_one_end_is_noticed(post: Post, wire: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.5)
    wire.silent_after = 100
    with pytest.raises(SendFailed) as caught:
        send(wire)
    assert not caught.value.permanent
    assert post.mails == []
