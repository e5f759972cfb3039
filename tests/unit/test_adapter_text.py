"""How text is cut for providers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.adapters.text import graphemes, split, storable, utf8_bytes, utf16_units


@pytest.mark.parametrize(
    "cluster",
    [
        "e\u0301",  # é as two characters
        "👍🏽",
        "👩‍👩‍👧‍👦",
        "❤️",
        "🇺🇦",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "각",
        "\r\n",
        "1️⃣",
    ],
)
def test_what_a_reader_sees_as_one_character_is_one(cluster: str) -> None:
    assert list(graphemes(f"a{cluster}b")) == ["a", cluster, "b"]


def test_two_flags_are_two() -> None:
    assert list(graphemes("🇺🇦🇩🇪")) == ["🇺🇦", "🇩🇪"]


def test_a_family_is_never_torn() -> None:
    family = "👩‍👩‍👧‍👦"
    room = utf8_bytes(family) + 3
    assert split(family * 3, room, utf8_bytes) == [family] * 3


def test_words_stay_whole_where_there_is_a_space_to_cut_at() -> None:
    assert split("one two three", 8, len) == ["one two ", "three"]


def test_a_word_longer_than_the_room_is_cut() -> None:
    assert split("a" * 25, 10, len) == ["a" * 10, "a" * 10, "a" * 5]


def test_no_part_is_only_blanks_when_a_long_word_follows() -> None:
    assert split(" " + "a" * 12, 10, len) == [" " + "a" * 9, "aaa"]


def test_a_character_larger_than_the_room_is_cut_rather_than_lost() -> None:
    monster = "a" + "\u0301" * 30
    parts = split(monster, 10, utf8_bytes)
    assert "".join(parts) == monster
    assert max(map(utf8_bytes, parts)) <= 10


@given(st.text(max_size=300), st.integers(4, 60))
def test_joined_parts_are_the_text_and_each_part_fits(text: str, room: int) -> None:
    for size in (utf8_bytes, utf16_units):
        parts = split(text, room, size)
        assert "".join(parts) == text
        assert parts
        assert all(size(part) <= room for part in parts)
        assert all(parts) or parts == [""]


@given(st.text(max_size=200))
def test_graphemes_lose_nothing(text: str) -> None:
    assert "".join(graphemes(text)) == text


@given(st.text(st.characters(exclude_categories=())))
def test_stored_text_has_no_nul_and_no_half_character(text: str) -> None:
    stored = storable(text)
    assert "\0" not in stored
    assert storable(stored) == stored
    stored.encode()


def test_two_halves_of_an_emoji_become_one() -> None:
    assert storable("\ud83d\ude4f") == "🙏"
    assert storable("a\ud83db") == "a\ufffdb"
