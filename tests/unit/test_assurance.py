"""Said, seen, proven: what counts as whose address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from customers.assurance import Assurance, assurance, is_doubted, words

WROTE = {"has_written": True, "is_vouched": False, "is_doubted": False, "is_shared": False}


@pytest.mark.parametrize(
    ("reason", "about", "expected"),
    [
        ("first_seen", {}, Assurance.OBSERVED),
        ("first_seen", {"is_vouched": True}, Assurance.PROVEN),
        ("imported", {"has_written": False}, Assurance.CLAIMED),
        ("imported", {}, Assurance.OBSERVED),
        ("added", {"is_vouched": True}, Assurance.CLAIMED),
        ("joined", {}, Assurance.CLAIMED),
        ("code", {}, Assurance.PROVEN),
        ("signed", {"has_written": False}, Assurance.PROVEN),
        ("signed", {"is_doubted": True}, Assurance.CLAIMED),
        ("first_seen", {"is_doubted": True, "is_vouched": True}, Assurance.CLAIMED),
        ("code", {"is_shared": True}, Assurance.SHARED),
    ],
)
def test_an_address_is_as_sure_as_what_links_it(reason: str, about: dict[str, bool], expected: Assurance) -> None:
    facts = WROTE | about
    assert assurance(reason, **facts) == expected
    assert words(expected, reason, is_doubted=facts["is_doubted"]).endswith(".")


def test_only_what_was_seen_or_proven_is_sure() -> None:
    assert {each for each in Assurance if each.is_sure} == {Assurance.OBSERVED, Assurance.PROVEN}


TODAY = datetime(2026, 11, 22, tzinfo=UTC)


def days_ago(days: int) -> datetime:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("reason", "made", "heard", "doubted", "expected"),
    [
        ("first_seen", 400, 10, None, False),
        ("first_seen", 400, 181, None, True),
        ("first_seen", 400, 10, 10, True),  # back after a long silence: perhaps somebody else
        ("imported", 400, None, None, False),  # never heard from is claimed anyway
        ("code", 5, 10, 10, False),
        ("code", 50, 10, 10, True),
        ("code", 200, 200, None, True),
        ("signed", 5, 300, None, False),
        ("signed", 181, None, None, True),
    ],
)
def test_a_long_silence_is_a_doubt_until_something_settles_it(
    reason: str, made: int, heard: int | None, doubted: int | None, expected: bool
) -> None:
    found = is_doubted(
        reason,
        made_at=days_ago(made),
        heard_at=days_ago(heard) if heard else None,
        doubted_at=days_ago(doubted) if doubted else None,
        at=TODAY,
    )
    assert found is expected
