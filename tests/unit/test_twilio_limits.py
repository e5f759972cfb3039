from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.adapters.text import utf16_units
from connectors.adapters.twilio.limits import SmsLimits
from connectors.adapters.twilio.segments import GSM_BASIC, GSM_EXTENDED, segments
from connectors.messages import Limit, Standing

LIMITS = SmsLimits()
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
GSM_TEXT = st.text(st.sampled_from(sorted(GSM_BASIC | GSM_EXTENDED)), max_size=1_600)


def test_the_alphabet_has_its_127_characters_and_10_extensions() -> None:
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENDED) == 10
    assert not GSM_BASIC & GSM_EXTENDED


@pytest.mark.parametrize(
    ("text", "is_gsm", "used", "count"),
    [
        ("", True, 0, 1),
        ("a" * 160, True, 160, 1),
        ("a" * 161, True, 161, 2),
        ("a" * 306, True, 306, 2),
        ("a" * 307, True, 307, 3),
        ("€" * 80, True, 160, 1),
        ("€" * 81, True, 162, 2),
        ("a" * 152 + "€" + "a" * 153, True, 307, 3),  # the euro does not fit into the 153rd place
        ("Ж" * 70, False, 70, 1),
        ("Ж" * 71, False, 71, 2),
        ("Ж" * 134, False, 134, 2),
        ("Ж" * 135, False, 135, 3),
        ("😀" * 35, False, 70, 1),
        ("😀" * 36, False, 72, 2),
        ("a" * 159 + "`", False, 160, 3),
        ("it’s", False, 4, 1),
        ("a\u00a0b", False, 3, 1),
        ("é\nÇ", True, 3, 1),
        ("ç", False, 1, 1),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, is_gsm: bool, used: int, count: int) -> None:
    found = segments(text)
    assert (found.is_gsm, found.used, found.count) == (is_gsm, used, count)


@given(GSM_TEXT)
def test_gsm_segments_are_never_fewer_than_the_septets_need(text: str) -> None:
    found = segments(text)
    assert found.is_gsm
    assert found.used == len(text) + sum(character in GSM_EXTENDED for character in text)
    assert found.used <= found.room
    assert found.count <= -(-found.used // 152) or found.count == 1  # at most one septet a part is wasted


@given(st.text(max_size=400))
def test_one_character_outside_the_alphabet_makes_all_of_it_two_bytes_wide(text: str) -> None:
    found = segments(text + "😀")
    assert not found.is_gsm
    assert found.used == utf16_units(text) + 2 <= found.room


def test_the_composer_is_told_characters_room_and_segments() -> None:
    assert LIMITS.count("Hello") == Limit(5, 160, 1, "characters")
    assert LIMITS.count("") == Limit(0, 160, 1, "characters")
    assert LIMITS.count("a" * 200) == Limit(200, 306, 2, "characters")
    assert LIMITS.count("Hello 😀") == Limit(8, 70, 1, "characters")


def test_1600_characters_are_one_message() -> None:
    assert LIMITS.split("a" * 1_600) == ["a" * 1_600]
    assert LIMITS.split("") == [""]


def test_1601_characters_are_two_messages_cut_between_words_and_marked() -> None:
    text = "word " * 320 + "x"
    first, second = LIMITS.split(text)
    assert len(text) == 1_601
    assert first.startswith("(1/2) word")
    assert first.endswith("word ")
    assert second.startswith("(2/2) word")
    assert second.endswith("x")
    assert LIMITS.count(text).parts == segments(first).count + segments(second).count


def test_ten_parts_and_more_still_fit_with_their_marks() -> None:
    parts = LIMITS.split("word " * 5_000)
    assert parts[0].startswith(f"(1/{len(parts)}) ")
    assert parts[-1].startswith(f"({len(parts)}/{len(parts)}) ")
    assert len(parts) > 10
    assert max(map(len, parts)) <= 1_600


@given(st.text(max_size=300), st.integers(1, 40))
def test_splitting_loses_nothing_and_every_part_fits(text: str, times: int) -> None:
    whole = text * times
    parts = LIMITS.split(whole)
    assert all(utf16_units(part) <= 1_600 for part in parts)
    if len(parts) == 1:
        assert parts == [whole]
    else:
        assert "".join(re.sub(rf"\A\({n}/{len(parts)}\) ", "", part) for n, part in enumerate(parts, 1)) == whole


def test_nobody_who_opted_out_is_texted() -> None:
    refusal = LIMITS.refusal(Standing(NOW, opted_out_at=datetime(2026, 9, 3, tzinfo=UTC)))
    assert refusal is not None
    assert refusal.reason == "They opted out of texts from this number on 3 September 2026."
    assert "START" in refusal.remedy


def test_a_text_may_be_sent_at_any_time_to_anybody_else() -> None:
    assert LIMITS.refusal(Standing(NOW)) is None
    assert LIMITS.refusal(Standing(NOW, files=10)) is None
    assert LIMITS.refusal(Standing(NOW, files=11)) is not None
