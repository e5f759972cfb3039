"""Somebody wrote on Instagram, where a webhook brings nothing but a number: who is it?"""

from __future__ import annotations

from typing import Any

import pytest

from connectors.adapters import ADAPTERS
from connectors.messages import Account, Channel, Profile, Sender
from customers.models import Identity
from inbox import privacy
from inbox.intake.profiles import look_up_profiles
from inbox.models import Entry
from tests import make

pytestmark = pytest.mark.django_db
STRANGER = Sender("1002003004009999", scope=make.INSTAGRAM_ACCOUNT)


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch) -> Any:
    asked: list[str] = []

    def tells(profile: Profile | None) -> list[str]:
        def answer(account: Account, address: str) -> Profile | None:
            asked.append(address)
            return profile

        monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "profile", answer)
        return asked

    return tells


def test_a_stranger_gets_their_name_everywhere(
    account: Any, meta: Any, heard: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    asked = meta(Profile("Kim Novak", "kim.nvk"))
    entry = make.says(STRANGER, account, "Is the red one back?")
    assert entry.author != "Kim Novak"
    with django_capture_on_commit_callbacks(execute=True):
        assert look_up_profiles() == 1
    entry.refresh_from_db()
    assert (entry.author, entry.case.customer.name) == ("Kim Novak", "Kim Novak")
    assert Identity.objects.get().handle == "kim.nvk"
    assert "Kim Novak" in heard[-1]["row"]
    make.says(STRANGER, account, "And the blue one?")
    assert look_up_profiles() == 0
    assert asked == ["1002003004009999"]


def test_who_is_not_told_is_asked_for_again_only_when_they_write_again(account: Any, meta: Any) -> None:
    asked = meta(None)
    make.says(STRANGER, account, "Is the red one back?")
    assert look_up_profiles() == look_up_profiles() == 0
    assert len(asked) == 1
    meta(Profile("", "kim.nvk"))
    make.says(STRANGER, account, "Hello?")
    assert look_up_profiles() == 1
    assert Entry.objects.latest("pk").author == "@kim.nvk"


def test_a_message_that_was_erased_gets_no_name(account: Any, meta: Any, sue: Any) -> None:
    meta(Profile("Kim Novak", "kim.nvk"))
    entry = make.says(STRANGER, account, "My card is 4111")
    privacy.redact(entry, by=sue, why="")
    assert look_up_profiles() == 1
    entry.refresh_from_db()
    assert "Kim" not in entry.author


def test_a_name_an_agent_gave_stays(account: Any, maya: Any, meta: Any) -> None:
    meta(Profile("mayaaa", "maya.ortz"))
    make.says(maya, account, "hi")
    look_up_profiles()
    maya.refresh_from_db()
    assert maya.name == "Maya Ortiz"
    assert maya.identities.get(kind="instagram").handle == "maya.ortz"


def test_nobody_is_asked_about_addresses_that_speak_for_themselves(mailbox: Any, number: Any, maya: Any) -> None:
    make.says(maya, mailbox, "hi")
    make.says(maya, number, "hi")
    assert look_up_profiles() == 0
    assert not Identity.objects.filter(profile_due_at__isnull=False).exists()


def test_a_paused_account_is_not_asked(account: Any, meta: Any) -> None:
    asked = meta(Profile("Kim Novak"))
    make.says(STRANGER, account, "hi")
    account.is_active = False
    account.save()
    assert look_up_profiles() == 0
    assert asked == []
