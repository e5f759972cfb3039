"""The cast. Support is Ana's and Sam's team, Billing is Lee's; Sue supervises, Adam is the admin; Maya writes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

import connectors.models
from tests import emptying, make

emptying.install()


@pytest.fixture(autouse=True)
def _plain(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    connectors.models._at_hand.clear()


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every frame that would have gone to the browsers; workers are not woken: tests say `work()` themselves."""
    frames: list[dict[str, Any]] = []
    monkeypatch.setattr("inbox.live.publish", frames.append)
    monkeypatch.setattr("inbox.wake.Messenger.put", lambda self, call: None)
    return frames


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
