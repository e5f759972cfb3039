"""The real product, running: `make demo`'s own supervisor in a folder of its own, and the far end of every provider."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis
import requests

ROOT = Path(__file__).resolve().parents[1]
OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "CREDENTIAL_KEYS",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "DATA_DIR",
    "UNDO_SECONDS",
    "LOG_LEVEL",
    "PORT",
)
T = TypeVar("T")


def until(ask: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Asks again and again until the answer is true; what it waits for is named when it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"After {seconds:.0f} s it was still not so: {what}")
        time.sleep(0.05)  # polling another process; nothing announces this to us
    return answer


class Stack:
    def __init__(self, var: Path, **settings: str) -> None:
        self.var = var
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment = inherited | {"DJANGO_SETTINGS_MODULE": "config.settings"} | settings
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        with (self.var / "supervisor.log").open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor", "--var", str(self.var), "--port", "0"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(lambda: self.ready_file.exists() or self.supervisor_ended, "the product is ready", 180)
        assert not self.supervisor_ended, (self.var / "supervisor.log").read_text()[-2000:]
        self.demo: dict[str, Any] = json.loads((self.var / "demo.json").read_text())
        self.url = self.demo["base_url"]
        self.phone = self.demo["sandbox"]["phone_url"]

    def stop(self) -> None:
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            assert self.supervisor.wait(30) == 0

    @property
    def ready_file(self) -> Path:
        return self.var / "run" / "ready"

    @property
    def supervisor_ended(self) -> bool:
        return self.supervisor is None or self.supervisor.poll() is not None

    def pid(self, name: str) -> int:
        """Of one of our own processes: sandbox, web, worker, beat, watch_mail, sweep, postgres or valkey."""
        return int((self.var / "run" / f"{name}.pid").read_text().split()[0])

    def kill(self, name: str) -> None:
        before = self.pid(name)
        os.kill(before, signal.SIGKILL)
        until(lambda: self.pid(name) != before, f"{name} was started again")

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.pid(name), number)

    def setting(self, name: str) -> str:
        """As the running product has it, read from the sweeper's environment."""
        for line in Path(f"/proc/{self.pid('sweep')}/environ").read_bytes().split(b"\0"):
            key, _, value = line.decode().partition("=")
            if key == name:
                return value
        raise KeyError(name)

    def rows(self, query: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.setting("DATABASE_URL")) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.setting("REDIS_URL"))

    # The customer's side

    def say(self, customer: str, channel: str, text: str, **more: Any) -> dict[str, Any]:
        return self._post("say", customer=customer, channel=channel, text=text, **more)

    def received(self, customer: str, channel: str) -> list[dict[str, Any]]:
        """What the customer got there, oldest first."""
        answer = requests.get(f"{self.phone}control/inbox", {"customer": customer}, timeout=10)
        answer.raise_for_status()
        return [each for each in answer.json()[channel] if each["direction"] == "received"]

    def gets(self, customer: str, channel: str, text: str) -> dict[str, Any]:
        """Waits until the customer has got this text."""
        return until(
            lambda: next((each for each in self.received(customer, channel) if text in each["text"]), None),
            f"{customer} got {text!r} by {channel}",
        )

    def fault(self, provider: str, fault: str, **more: Any) -> None:
        self._post("faults", provider=provider, fault=fault, **more)

    def _post(self, verb: str, **values: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.phone}control/{verb}", json=values, timeout=30)
        assert answer.ok, answer.text
        result: dict[str, Any] = answer.json()
        return result

    # What the product knows

    def case_of(self, customer: str) -> dict[str, Any] | None:
        """The live case of a customer of this name."""
        found = self.rows(
            "SELECT c.id, c.status, c.channels, c.open_channels, c.channel FROM inbox_case c "
            "JOIN customers_customer p ON p.id = c.customer_id WHERE p.name = %s AND c.is_live",
            customer,
        )
        if not found:
            return None
        assert len(found) == 1, found
        return dict(zip(("id", "status", "channels", "open_channels", "channel"), found[0], strict=True))

    def messages(self, marker: str) -> int:
        return int(
            self.rows("SELECT count(*) FROM inbox_entry WHERE kind = 'message' AND text LIKE %s", f"%{marker}%")[0][0]
        )
