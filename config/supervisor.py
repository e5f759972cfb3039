"""Runs all of Throughline on one machine: `python -m config.supervisor [--var FOLDER] [--port N]`.

Starts PostgreSQL, Valkey, the sandbox, the web server, worker, beat, the mail watcher and the sweeper, and starts again
whichever ends. Data, logs and pids live in FOLDER; once everything answers, FOLDER/run/ready holds the address, and
FOLDER/demo.json tells how to sign in. Ctrl-C or SIGTERM stops it all. Port 0 takes any free port.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from config import services
from config.processes import Process, Trouble, end_orphans, free_port, owner_of, stop_all
from connectors.sandbox import certificates

ROOT = Path(__file__).resolve().parent.parent
SPACE = 300_000_000  # bytes that PostgreSQL needs to begin with
PATIENCE = 90.0  # seconds until a part that still does not answer is called broken
_straight = build_opener(ProxyHandler({}))  # a proxy for the packages must not be asked about our own servers
SANDBOX_PORTS = {"SANDBOX_PORT": 8090, "SANDBOX_SMTP_PORT": 8025, "SANDBOX_IMAP_PORT": 8993}


class Stopped(BaseException):
    """Somebody asked us to end."""


class Stack:
    """Every process of one running Throughline, with everything it keeps under one folder."""

    def __init__(self, var: Path, port: int = 8000) -> None:
        self.var, self.port, self.any_port = var.resolve(), port, port == 0
        self.ready_file = self.var / "run" / "ready"
        self.servers: list[Process] = []  # what the product stands on
        self.product: list[Process] = []
        self.lock: IO[str] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Returns once everything answers. Raises Trouble in one sentence; call stop() in any case."""
        services.prepare(self.var)
        self._claim_folder()
        self.ready_file.unlink(missing_ok=True)
        if orphans := end_orphans(self.var / "run"):
            say(f"Ended what an earlier start left behind: {', '.join(orphans)}.")
        self._claim_port()
        if (free := shutil.disk_usage(self.var).free) < SPACE:
            raise Trouble(f"The disk of {self.var} has {free // 10**6} MB left; {SPACE // 10**6} MB are needed.")
        for log in (self.var / "log").glob("*.log"):
            if log.stat().st_size > 10_000_000:
                log.replace(log.with_suffix(".old"))
        environment = self._environment()
        self._prepare_database(environment)
        everybody = self._product(environment)
        for first in everybody[:2]:  # whom people wait for: the rest would take the processor from them
            self._add(first)
        self._wait_for(self.address, "web")
        self._wait_for(f"{environment['TWILIO_API_URL']}/control/health", "sandbox")
        for process in everybody[2:]:
            self._add(process)
        self.ready_file.write_text(self.address)

    def watch(self) -> None:
        """Starts again whatever ends, until a signal raises Stopped."""
        while True:
            self._revive()
            time.sleep(0.1)

    def stop(self) -> None:
        if self.lock is None:
            return  # the folder is somebody else's
        self.ready_file.unlink(missing_ok=True)
        stop_all(self.product)
        stop_all(self.servers)

    def _claim_folder(self) -> None:
        lock = (self.var / "run" / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of by the kernel, however we end
        except BlockingIOError:
            lock.seek(0)
            raise Trouble(f"It already runs in {self.var} (process {lock.read()}); stop that first.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self.lock = lock

    def _claim_port(self) -> None:
        if self.port == 0:
            self.port = free_port()
        elif self.port < 1024 and os.geteuid() != 0:
            raise Trouble(f"Port {self.port} is kept for root; choose another: make demo PORT=8010")
        elif free_port([self.port]) != self.port:
            raise Trouble(f"Port {self.port} is taken by {owner_of(self.port)}; choose another: make demo PORT=8010")

    def _environment(self) -> dict[str, str]:
        """What settings.py reads. Starts PostgreSQL and Valkey where the environment names none."""
        kept, ports = services.remembered(self.var), self._sandbox_ports()
        authority, certificate, key = certificates.ensure(self.var / "tls")
        sandbox = f"http://127.0.0.1:{ports['SANDBOX_PORT']}"
        environment = {
            **os.environ,
            **ports,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": kept["secret_key"],
            "CREDENTIAL_KEYS": kept["credential_key"],
            "PUBLIC_URL": self.address.rstrip("/"),
            "ALLOWED_HOSTS": "127.0.0.1 localhost",
            "DEBUG": "0",
            "DEMO": "1",
            "VAR_DIR": str(self.var),
            "DATA_DIR": str(self.var / "files"),
            "STATIC_ROOT": str(self.var / "static"),
            "TWILIO_API_URL": sandbox,
            "GRAPH_API_URL": sandbox,
            "FACEBOOK_API_URL": sandbox,
            "INSTAGRAM_SIGN_IN_URL": sandbox,
            "INSTAGRAM_CODE_URL": sandbox,
            "FACEBOOK_SIGN_IN_URL": sandbox,
            "ALLOW_PRIVATE_HOSTS": "1",
            "MAIL_CA_FILE": str(authority),
            "SANDBOX_CERT_FILE": str(certificate),
            "SANDBOX_KEY_FILE": str(key),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }
        if not environment.get("DATABASE_URL"):
            say("Starting PostgreSQL …")
            database = services.start_postgres(self.var)
            self.servers.append(database.process)
            environment["DATABASE_URL"] = database.url
        if not environment.get("REDIS_URL"):
            valkey = services.start_valkey(self.var)
            self.servers.append(valkey.process)
            environment["REDIS_URL"] = valkey.url
        return environment

    def _sandbox_ports(self) -> dict[str, str]:
        """The same ports as last time where they are free, because mailboxes on record name them."""
        file = self.var / "ports.json"
        wanted: dict[str, list[int]] = {name: [] if self.any_port else [port] for name, port in SANDBOX_PORTS.items()}
        if file.exists():
            wanted |= {name: [int(port)] for name, port in json.loads(file.read_text()).items()}
        ports = {name: str(free_port(preferred)) for name, preferred in wanted.items()}
        file.write_text(json.dumps(ports))
        return ports

    def _prepare_database(self, environment: Mapping[str, str]) -> None:
        say("Preparing the database …")
        once = self._python("demo", environment, "manage.py", "demo")
        once.start()
        try:
            while not once.died():
                self._revive()
                time.sleep(0.02)
        finally:
            stop_all([once])
        if once.child is None or once.child.returncode != 0:
            raise Trouble(f"The database could not be prepared; {once.log} ends with:\n{once.last_words()}")

    def _product(self, environment: Mapping[str, str]) -> list[Process]:
        sandbox = ("--config", str(self.var / "sandbox.json"), "--data", str(self.var / "sandbox"))
        beat = ("--schedule", str(self.var / "run" / "beat"), "--pidfile=")
        celery = ("-m", "celery", "-A", "config")
        commands = {
            "sandbox": ("-m", "connectors.sandbox", *sandbox),
            "web": ("-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "-v", "0", "config.asgi:application"),
            "worker": (*celery, "worker", "--concurrency=2", "--loglevel=INFO", "--without-mingle", "--without-gossip"),
            "beat": (*celery, "beat", "--loglevel=INFO", *beat),
            "watch_mail": ("manage.py", "watch_mail"),
            "sweep": ("manage.py", "sweep"),
        }
        return [self._python(name, environment, *words) for name, words in commands.items()]

    def _add(self, process: Process) -> None:
        self.product.append(process)
        process.start()

    def _python(self, name: str, environment: Mapping[str, str], *words: str) -> Process:
        return Process(name, (sys.executable, *words), environment, self.var)

    def _revive(self) -> None:
        for process in (*self.servers, *self.product):
            if process.died():
                if not process.due_at:
                    delay = process.restart_later()
                    code = process.child.returncode if process.child else None
                    when = f"in {delay:.1f} s" if delay else "at once"
                    say(f"{process.name} ended ({code}), starts again {when}; {process.log}: {process.last_words(1)}")
                if time.monotonic() >= process.due_at:
                    process.due_at = 0.0
                    process.start()

    def _wait_for(self, address: str, name: str) -> None:
        """Until `address` answers, whatever it answers."""
        process = next(process for process in self.product if process.name == name)
        deadline = time.monotonic() + PATIENCE
        while not answers_http(address):
            self._revive()
            if time.monotonic() > deadline or process.failures >= 3:
                raise Trouble(f"{name} does not start; {process.log} ends with:\n{process.last_words()}")
            time.sleep(0.05)


def answers_http(address: str) -> bool:
    try:
        with _straight.open(address, timeout=5):
            return True
    except HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def how_to_sign_in(var: Path) -> str:
    """From demo.json, in the words of the person who will type it."""
    file = var / "demo.json"
    if not file.exists():
        return ""
    demo = json.loads(file.read_text())
    lines = [f"  {agent['email']:<28} {agent['password']:<20} {agent['role']}" for agent in demo.get("agents", [])]
    phone = demo.get("sandbox", {}).get("phone_url", "")
    return "\n".join(["Sign in as (e-mail, password):", *lines, f"Be a customer: {phone}" if phone else ""]).rstrip()


def say(words: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(words, flush=True)


def complain(sentence: str) -> int:
    """Tells the person, and gives the exit code."""
    print(f"Throughline cannot start: {sentence}", file=sys.stderr, flush=True)
    return 1


def _stop_on_signals() -> None:
    def stop(number: int, frame: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # once is enough; stopping must not be cut short
        raise Stopped

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.supervisor", description=__doc__)
    parser.add_argument("--var", type=Path, default=ROOT / "var", help="where data, logs and pids are kept")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="of the web server; 0: any free one")
    wanted = parser.parse_args()
    if not wanted.port.isdecimal() or int(wanted.port) > 65535:
        return complain(f"PORT must be a number from 0 to 65535, not {wanted.port!r}.")
    os.chdir(ROOT)
    _stop_on_signals()
    stack = Stack(wanted.var, int(wanted.port))
    try:
        began = time.monotonic()
        stack.start()
        say(f"{how_to_sign_in(stack.var)}\nStarted in {time.monotonic() - began:.1f} s; Ctrl-C stops it.")
        say(f"ready: {stack.address}")
        stack.watch()
    except Stopped:
        say("Stopping …")
    except (Trouble, OSError) as trouble:
        return complain(str(trouble))
    finally:
        stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
