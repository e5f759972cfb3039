"""Said, seen, proven: what counts as whose address."""

from __future__ import annotations

import pytest

from customers.assurance import Assurance, assurance, words

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
