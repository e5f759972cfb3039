from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.peers import dovecot
from tests.peers.dovecot import Dovecot
from tests.peers.tokens import Tokens


@pytest.fixture(scope="session")
def tokens() -> Iterator[Tokens]:
    with Tokens() as running:
        yield running


@pytest.fixture(scope="session")
def _dovecot(tokens: Tokens) -> Iterator[Dovecot]:
    if not dovecot.PROGRAM:
        pytest.skip(dovecot.MISSING)  # the summary of the run says so in words
    running = Dovecot.start(tokens.port)
    yield running
    running.stop()


@pytest.fixture
def server(_dovecot: Dovecot, settings: Settings) -> Dovecot:
    """One server for all tests; each finds its mailbox empty."""
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(_dovecot.pem)
    _dovecot.empty()
    return _dovecot
