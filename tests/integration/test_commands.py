"""Setting it up for real, from the command line."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from connectors.models import Connector
from inbox.models import Agent, Case
from tests import make

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def secret(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        file = tmp_path / f"secret-{len(list(tmp_path.iterdir()))}"
        file.write_text(f"{text}\n")
        return str(file)

    return write


def test_the_first_agent_is_an_admin_in_a_new_team(secret: Any) -> None:
    file = secret("a-long-test-password")
    run("create_agent", "Eve@Example.test", "--name", "Eve Stone", "--password-file", file)
    eve = Agent.objects.get()
    assert (eve.email, eve.role, [team.name for team in eve.teams.all()]) == ("eve@example.test", "admin", ["Support"])
    assert eve.check_password("a-long-test-password")


def test_an_agent_can_be_in_several_teams(adam: Any, secret: Any) -> None:
    file = secret("a-long-test-password")
    run(
        "create_agent",
        "eve@example.test",
        "--name",
        "Eve",
        "--team",
        "Support",
        "--team",
        "Shop",
        "--password-file",
        file,
    )
    eve = Agent.objects.get(email="eve@example.test")
    assert (eve.role, eve.teams.count()) == ("agent", 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["not-an-address", "--name", "Eve"], "not an e-mail address"),
        (["ana@throughline.test", "--name", "Ana"], "agent already"),
        (["eve@example.test"], "--name is missing"),
        (["eve@example.test", "--name", "Eve"], "--password-file is missing"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(ana: Any, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("create_agent", *arguments)
    assert Agent.objects.count() == 1


def test_a_weak_password_is_refused(secret: Any) -> None:
    with pytest.raises(CommandError, match="too short"):
        run("create_agent", "eve@example.test", "--name", "Eve", "--password-file", secret("short"))
    assert not Agent.objects.exists()


def test_a_new_password_ends_the_sessions_of_the_old_one(ana: Any, browser_of: Any, secret: Any) -> None:
    browser = browser_of(ana)
    run("change_password", ana.email, "--password-file", secret("another-long-password"))
    assert browser.get("/customers/").status_code == 302
    ana.refresh_from_db()
    assert ana.check_password("another-long-password")


def test_a_deactivated_agent_is_out_and_their_cases_go_back(ana: Any, maya: Any, mailbox: Any, browser_of: Any) -> None:
    case = make.says(maya, mailbox, "Hello").case
    assert case is not None
    make.answers(ana, case, "Hello Maya")
    browser = browser_of(ana)
    assert "1 open case went back" in run("deactivate", ana.email)
    assert browser.get("/customers/").status_code == 302
    assert Case.objects.get().assignee is None
    with pytest.raises(CommandError, match="no active agent"):
        run("deactivate", ana.email)


def test_a_connector_is_stopped_by_its_address(number: Any) -> None:
    run("deactivate", "+14155550100", "--connector")
    number.refresh_from_db()
    assert not number.is_active


def test_a_number_is_connected_with_its_token_from_a_file(secret: Any, settings: Any) -> None:
    out = run(
        "add_connector", "sms", "--address", "+1 415 555 0100", "--name", "Texts", "--team", "Support",
        "--set", "account_sid=AC1", "--secret-file", f"auth_token={secret('a-token')}",
    )  # fmt: skip
    connector = Connector.objects.get()
    assert connector.addresses == ["+14155550100"]
    assert connector.credentials == {"account_sid": "AC1", "auth_token": "a-token"}
    assert connector.webhook_url in out
    assert "a-token" not in out


def test_a_mailbox_needs_its_password_once_and_its_names_have_defaults(secret: Any) -> None:
    run(
        "add_connector", "email", "--address", "Help@Example.test", "--team", "Support", "--name", "Help",
        "--set", "imap_host=mail.example.test", "--set", "authserv_id=mail.example.test",
        "--secret-file", f"imap_password={secret('pass word')}",
    )  # fmt: skip
    connector = Connector.objects.get()
    assert connector.address == "help@example.test"
    assert connector.credentials["smtp_host"] == "mail.example.test"
    assert connector.credentials["smtp_username"] == connector.credentials["imap_username"] == "help@example.test"
    assert connector.credentials["smtp_password"] == "pass word"
    assert connector.options == {"from_name": "Help", "authserv_id": "mail.example.test"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sms", "--address", "12", "--set", "auth_token=x"], "not a valid phone|is a secret"),
        (["sms", "--address", "+14155550100", "--set", "auth_token=x"], "is a secret"),
        (["sms", "--address", "+14155550100", "--set", "colour=x"], "has no colour"),
        (["sms", "--address", "+14155550100", "--set", "account_sid"], "NAME=VALUE"),
        (["sms", "--address", "+14155550100"], "account_sid=VALUE is missing"),
        (["sms"], "--address is missing"),
    ],
)
def test_a_connector_that_lacks_something_is_not_made(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("add_connector", *arguments)
    assert not Connector.objects.exists()


def test_an_address_is_connected_only_once(number: Any) -> None:
    with pytest.raises(CommandError, match="connected already"):
        run("add_connector", "sms", "--address", "+14155550100")


def test_a_new_key_is_one_that_encrypts() -> None:
    Fernet(run("new_key").strip())


def test_after_a_new_key_the_old_one_can_be_dropped(number: Connector, settings: Any) -> None:
    old, new = settings.CREDENTIAL_KEYS, [Fernet.generate_key().decode()]
    settings.CREDENTIAL_KEYS = [*new, *old]
    assert Connector.objects.get().credentials == number.credentials
    assert "1 connectors' secrets" in run("reencrypt")
    settings.CREDENTIAL_KEYS = new
    assert Connector.objects.get().credentials == number.credentials
    settings.CREDENTIAL_KEYS = old
    with pytest.raises(ImproperlyConfigured):
        Connector.objects.get()


def test_an_account_gets_a_verify_token_and_is_told_it(secret: Any) -> None:
    out = run(
        "add_connector", "instagram", "--address", make.INSTAGRAM_ACCOUNT, "--name", "Shop", "--team", "Support",
        "--set", "flavour=instagram", "--secret-file", f"app_secret={secret('s')}",
        "--secret-file", f"access_token={secret('t')}",
    )  # fmt: skip
    connector = Connector.objects.get()
    assert len(connector.credentials["verify_token"]) > 20
    assert connector.credentials["verify_token"] in out
    assert connector.options == {"flavour": "instagram"}
