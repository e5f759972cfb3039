"""The servers that are measured: everything in a temporary folder, on 127.0.0.1, and gone afterwards."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from config import services
from config.processes import Process, Trouble, free_port, stop_all

MAIN = services.DATABASE


class Stack:
    def __init__(self, var: Path) -> None:
        self.var = var
        self.processes: list[Process] = []
        self.live_port = 0
        self.environment: dict[str, str] = {}

    def start(self, outside: dict[str, str]) -> None:
        """PostgreSQL with fsync on, as people run it, and Valkey."""
        postgres = services.start_postgres(self.var)
        self.processes.append(postgres.process)
        valkey = services.start_valkey(self.var)
        self.processes.append(valkey.process)
        self.live_port, self.far_port = free_port(), free_port()
        kept = services.remembered(self.var)
        self.environment = {
            **outside,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CREDENTIAL_KEYS": kept["credential_key"],
            "PUBLIC_URL": f"http://127.0.0.1:{self.live_port}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "DEBUG": "0",
            "DATA_DIR": str(self.var / "files"),
            "STATIC_ROOT": str(self.var / "static"),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "TWILIO_API_URL": f"http://127.0.0.1:{self.far_port}",
            "ALLOW_PRIVATE_HOSTS": "1",
            "UNDO_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
        }

    def stop(self) -> None:
        stop_all(self.processes[2:])
        stop_all(self.processes[:2])

    # Databases

    def database_url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.environment["DATABASE_URL"])._replace(path=f"/{name}"))

    def environment_of(self, database: str) -> dict[str, str]:
        return {**self.environment, "DATABASE_URL": self.database_url(database)}

    def copy(self, source: str, name: str) -> None:
        """A database like another one; nobody may be connected to that."""
        with self.connect("postgres") as connection:
            words = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
            connection.execute(words.format(sql.Identifier(name), sql.Identifier(source)))

    def connect(self, database: str, *, superuser: bool = False) -> psycopg.Connection[Any]:
        user = {"user": "postgres"} if superuser else {}
        return psycopg.connect(self.database_url(database), autocommit=True, **user)

    # Processes of ours

    @contextmanager
    def running(self, *processes: Process) -> Any:
        """Only while they are needed: two processors are not many."""
        self.processes += processes
        try:
            for process in processes:
                process.start()
            yield
        finally:
            stop_all(processes)
            self.processes = [each for each in self.processes if each not in processes]

    def python(self, name: str, database: str, *words: str) -> Process:
        return Process(name, (sys.executable, *words), self.environment_of(database), self.var)

    def pages(self, name: str, database: str, port: int, *, workers: int, threads: int) -> Process:
        """As deploy/run starts them."""
        size = ("--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads))
        address = ("--bind", f"127.0.0.1:{port}", "--no-control-socket")
        return self.python(name, database, "-m", "gunicorn", "config.wsgi", *address, *size, "--log-level", "warning")

    def live(self, name: str, database: str) -> Process:
        address = ("-b", "127.0.0.1", "-p", str(self.live_port), "-v", "0")
        return self.python(name, database, "-m", "daphne", *address, "config.asgi:application")

    def worker(self, name: str, database: str, *, concurrency: int) -> Process:
        words = ("-A", "config", "worker", f"--concurrency={concurrency}", "--loglevel=WARNING", "--without-mingle")
        return self.python(name, database, "-m", "celery", *words, "--without-gossip", "--without-heartbeat")

    def until_it_answers(self, process: Process, port: int, path: str = "/sign-in/") -> None:
        def answers() -> bool:
            try:
                door = HTTPConnection("127.0.0.1", port, timeout=5)
                door.request("GET", path)
                return door.getresponse().status < 500
            except OSError:
                return False

        self.until(answers, process)

    def until(self, happened: Callable[[], bool], process: Process, patience: float = 40.0) -> None:
        deadline = time.monotonic() + patience
        while not happened():
            if process.died() or time.monotonic() > deadline:
                last = process.last_words(8)
                raise Trouble(f"{process.name} is not ready in {patience:.0f} s; {process.log} ends with:\n{last}")
            time.sleep(0.05)  # polling another process

    def forget_tasks(self) -> None:
        """What sections before have left in the queue would be done in this one's time. PostgreSQL keeps the work."""
        with redis.Redis.from_url(self.environment["REDIS_URL"]) as server:
            server.flushall()

    def versions(self) -> dict[str, str]:
        with self.connect("postgres") as connection:
            row = connection.execute("SHOW server_version").fetchone()
            fsync = connection.execute("SHOW fsync").fetchone()
            assert row and fsync
        return {"PostgreSQL": row[0], "fsync": fsync[0]}
