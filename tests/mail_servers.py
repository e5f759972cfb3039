"""Mail servers on loopback for whoever reads or sends mail in a test (loaded by `-p tests.mail_servers`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.payloads.email.servers import Imap, Scripted, certificate, server_context


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def loopback(pem: Path, settings: Settings) -> None:
    """What the guards against reaching into a private network forbid anywhere else."""
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(pem)


@pytest.fixture
def server(pem: Path) -> Iterator[Imap]:
    running = Imap(server_context(pem))
    yield running
    running.stop()


@pytest.fixture
def scripted(pem: Path) -> Iterator[Callable[[Callable[[str], list[bytes]]], Scripted]]:
    """An IMAP server that says what the test wants it to."""
    running: list[Scripted] = []

    def start(answer: Callable[[str], list[bytes]]) -> Scripted:
        running.append(Scripted(server_context(pem), answer))
        return running[-1]

    yield start
    for one in running:
        one.stop()
