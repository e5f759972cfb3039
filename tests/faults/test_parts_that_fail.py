"""Parts of the running product are killed, stopped and emptied while customers write. A ledger of tokens is kept:
nothing accepted is lost, nothing comes twice, nothing leaves twice."""

from __future__ import annotations

import signal
import uuid

import pytest

from tests.e2e.people import somebody
from tests.stack import Stack, until


class Ledger:
    """Every message carries a token of its own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.customer = somebody(stack, "Ledger")
        self.tokens: list[str] = []

    def text(self, channel: str = "sms") -> None:
        token = uuid.uuid4().hex[:12]
        said = self.customer.writes(channel, f"message {token}")
        if channel == "email" or said["webhook_status"] == 200:
            self.tokens.append(token)

    def check(self, seconds: float = 60) -> None:
        assert self.tokens
        until(
            lambda: all(self.stack.messages(token) for token in self.tokens), "every accepted message is here", seconds
        )
        doubled = [token for token in self.tokens if self.stack.messages(token) > 1]
        assert not doubled


@pytest.fixture
def ledger(stack: Stack) -> Ledger:
    return Ledger(stack)


def test_redis_emptied_between_messages_loses_nothing(stack: Stack, ledger: Ledger) -> None:
    for _ in range(10):
        ledger.text()
        stack.redis().flushall()
    ledger.check()


def test_redis_killed_in_mid_flow_loses_nothing(stack: Stack, ledger: Ledger) -> None:
    for turn in range(12):
        ledger.text()
        if turn in (3, 7):
            stack.kill("valkey")
    ledger.check()


def test_redis_that_hangs_delays_no_webhook(stack: Stack, ledger: Ledger) -> None:
    stack.signal("valkey", signal.SIGSTOP)
    try:
        slowest = max(ledger.customer.writes("sms", f"hang {turn}")["webhook_ms"] for turn in range(5))
        ledger.text()
        ledger.check(30)
    finally:
        stack.signal("valkey", signal.SIGCONT)
    assert slowest < 5_000  # Twilio gives up after 15 s, Meta after 5 s


def test_workers_killed_in_mid_task_lose_and_double_nothing(stack: Stack, ledger: Ledger) -> None:
    for turn in range(15):
        ledger.text(["sms", "instagram"][turn % 2])
        if turn % 4 == 1:
            stack.kill("worker")
    ledger.check(90)


def test_the_mail_watcher_killed_while_mail_arrives_loses_and_doubles_nothing(stack: Stack, ledger: Ledger) -> None:
    for turn in range(8):
        ledger.text("email")
        if turn in (2, 5):
            stack.kill("watch_mail")
    stack.rows("UPDATE connectors_mailfolder SET leased_until = now() RETURNING id")  # the killed one's runs out
    ledger.check(90)


def test_the_sweeper_and_the_web_server_come_back(stack: Stack, ledger: Ledger) -> None:
    stack.kill("sweep")
    stack.kill("web")
    until(lambda: ledger.customer.writes("sms", "are you there?")["webhook_status"] == 200, "the web server answers")
    ledger.text()
    ledger.check()
