from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.adapters.instagram.limits import InstagramLimits
from connectors.messages import Limit, Standing

LIMITS = InstagramLimits()
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)


def test_a_thousand_bytes_are_one_message() -> None:
    assert LIMITS.split("a" * 1_000) == ["a" * 1_000]
    assert LIMITS.split("a" * 1_001) == ["a" * 1_000, "a"]
    assert LIMITS.split("") == [""]


def test_emoji_are_counted_in_bytes_and_stay_whole() -> None:
    parts = LIMITS.split("👩‍👩‍👧‍👦" * 41)
    assert [len(part.encode()) for part in parts] == [1_000, 25]
    assert LIMITS.count("Grüße 🙏") == Limit(used=12, room=1_000, parts=1, unit="bytes")
    assert LIMITS.count("ü" * 501) == Limit(used=1_002, room=2_000, parts=2, unit="bytes")


@given(st.text(max_size=400), st.integers(1, 10))
def test_splitting_loses_nothing_and_every_part_fits(text: str, times: int) -> None:
    whole = text * times
    parts = LIMITS.split(whole)
    assert "".join(parts) == whole
    assert all(len(part.encode()) <= 1_000 for part in parts)
    assert LIMITS.count(whole).parts == len(parts)


@pytest.mark.parametrize(
    ("age", "is_open"),
    [
        (timedelta(0), True),
        (timedelta(hours=23, minutes=58), True),
        (timedelta(hours=23, minutes=59, seconds=30), False),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(days=8), False),
    ],
)
def test_the_window_closes_24_hours_after_they_last_wrote(age: timedelta, is_open: bool) -> None:
    refusal = LIMITS.refusal(Standing(NOW, last_inbound_at=NOW - age))
    assert (refusal is None) == is_open
    if refusal:
        assert "24 hours" in refusal.reason


def test_somebody_who_never_wrote_cannot_be_written_to() -> None:
    refusal = LIMITS.refusal(Standing(NOW))
    assert refusal is not None
    assert "not written" in refusal.reason


def test_an_opt_out_and_too_many_files_are_refused() -> None:
    assert LIMITS.refusal(Standing(NOW, last_inbound_at=NOW, opted_out_at=NOW)) is not None
    assert LIMITS.refusal(Standing(NOW, last_inbound_at=NOW, files=11)) is not None
    assert LIMITS.refusal(Standing(NOW, last_inbound_at=NOW, files=10)) is None


APPROVED = {"human_agent": "yes"}


@pytest.mark.parametrize(
    ("age", "options", "automatic", "words"),
    [
        (timedelta(hours=1), {}, False, "Instagram takes answers until"),
        (timedelta(hours=1), APPROVED, True, "Instagram takes answers until"),
        (timedelta(hours=25), APPROVED, False, "Their 24 hours are over."),
        (timedelta(days=6, hours=23), APPROVED, False, "Their 24 hours are over."),
        (timedelta(hours=25), APPROVED, True, ""),
        (timedelta(hours=25), {}, False, ""),
        (timedelta(hours=25), {"human_agent": "no"}, False, ""),
        (timedelta(days=7), APPROVED, False, ""),
    ],
)
def test_a_person_has_7_days_where_meta_approved_it_and_a_program_has_24_hours(
    age: timedelta, options: dict[str, str], automatic: bool, words: str
) -> None:
    standing = Standing(NOW, last_inbound_at=NOW - age, automatic=automatic, options=options)
    closing = LIMITS.closing(standing)
    assert (LIMITS.refusal(standing) is None) == bool(words)
    assert (closing is not None) == bool(words)
    if closing:
        assert closing.words.startswith(words)
        assert closing.at > NOW


def test_after_7_days_the_refusal_says_so() -> None:
    refusal = LIMITS.refusal(Standing(NOW, last_inbound_at=NOW - timedelta(days=8), options=APPROVED))
    assert refusal is not None
    assert "7 days" in refusal.reason


MEGABYTE = 1024 * 1024
TAKEN = {
    "image": ("image/png", "image/jpeg", "image/gif"),
    "video": ("video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"),
    "audio": ("audio/aac", "audio/mp4", "audio/x-m4a", "audio/wav"),
    "file": ("application/pdf",),
}


@pytest.mark.parametrize(("kind", "content_type"), [(kind, each) for kind, types in TAKEN.items() for each in types])
def test_files_meta_takes(kind: str, content_type: str) -> None:
    most = (8 if kind == "image" else 25) * MEGABYTE
    assert LIMITS.file_trouble("a", content_type, most) == ""
    words = LIMITS.file_trouble("a.file", content_type, most + 1)
    assert words == f"a.file is larger than the {most // MEGABYTE} MB Instagram takes."


@pytest.mark.parametrize(
    "content_type",
    [
        "audio/ogg",
        "audio/mpeg",
        "audio/amr",
        "image/webp",
        "image/heic",
        "image/svg+xml",
        "image/tiff",
        "image/",
        "video/3gpp",
        "application/zip",
        "text/plain",
        "application/octet-stream",
    ],
)
def test_files_meta_would_refuse_are_refused_in_words(content_type: str) -> None:
    words = LIMITS.file_trouble("voice.ogg", content_type, 1)
    assert words.startswith("Instagram takes pictures (PNG, JPEG, GIF)")
    assert words.endswith("not voice.ogg. Send it by email.")
