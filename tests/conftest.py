"""The cast. Support is Ana's and Sam's team, Billing is Lee's; Sue supervises, Adam is the admin; Maya writes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from connectors.models import connector
from tests import emptying, make
from tests.stack import Stack

emptying.install()


def pytest_collection_finish() -> None:
    """Three thousand tests and all modules stay until the end: looking through them for garbage finds none."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _plain() -> Iterator[None]:
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES={**settings.STORAGES, "staticfiles": static},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ):
        yield


@pytest.fixture(autouse=True)
def _nothing_at_hand() -> None:
    connector._at_hand.clear()


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every frame that would have gone to the browsers; workers are not woken: tests say `work()` themselves."""
    frames: list[dict[str, Any]] = []
    monkeypatch.setattr("inbox.live.publish", frames.append)
    monkeypatch.setattr("inbox.wake.Messenger.put", lambda self, call: True)
    return frames


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, for stories and for tests that break parts of it: each brings customers of its own."""
    running = Stack(tmp_path_factory.mktemp("stack"), UNDO_SECONDS="2", DEMO_WHATSAPP="1")  # an answer waits so long
    running.start()
    yield running
    running.stop()


@pytest.fixture
def support(db: None) -> Any:
    return make.team("Support")


@pytest.fixture
def billing(db: None) -> Any:
    return make.team("Billing")


@pytest.fixture
def ana(support: Any) -> Any:
    return make.agent("Ana Duarte", support)


@pytest.fixture
def sam(support: Any) -> Any:
    return make.agent("Sam Keller", support)


@pytest.fixture
def lee(billing: Any) -> Any:
    return make.agent("Lee Wong", billing)


@pytest.fixture
def sue(support: Any) -> Any:
    return make.agent("Sue Berger", support, role="supervisor")


@pytest.fixture
def adam(support: Any) -> Any:
    return make.agent("Adam Reyes", support, role="admin")


@pytest.fixture
def mailbox(support: Any) -> Any:
    return make.mailbox("support@northwind.test", support)


@pytest.fixture
def billing_mailbox(billing: Any) -> Any:
    return make.mailbox("billing@northwind.test", billing)


@pytest.fixture
def number(support: Any) -> Any:
    return make.number(support)


@pytest.fixture
def whatsapp(support: Any) -> Any:
    return make.whatsapp(support)


@pytest.fixture
def account(support: Any) -> Any:
    return make.instagram_account(support)


@pytest.fixture
def maya(db: None) -> Any:
    """Maya, with all three addresses on record and nothing said yet."""
    return make.customer("Maya Ortiz", email="maya@ortiz.test", phone="+14155552671", instagram="1002003004005001")


@pytest.fixture
def browser_of() -> Any:
    """`browser_of(ana)` is a test client signed in as Ana."""

    def signed_in(agent: Any) -> Client:
        client = Client()
        client.force_login(agent)
        return client

    return signed_in
