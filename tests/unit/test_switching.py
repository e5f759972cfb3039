"""When it is a switch, how loud it is, what the card says and where the composer answers: architecture.md §4,
design.md §7.5, ux.md §2.8, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.switching import (
    Said,
    Story,
    Surroundings,
    Way,
    default_way,
    divider,
    duration,
    judge,
    louder,
    opening_line,
    sentence,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def said(channel: str, after: float, text: str = "", **more: Any) -> Said:
    return Said(channel, NOON + minutes(after), text or f"{channel} at {after}", **more)


@pytest.mark.parametrize(
    ("new", "around", "kind", "loudness"),
    [
        (said("email", 30), {}, "same", ""),
        (said("sms", 30), {}, "move", "calm"),
        (said("sms", 30), {"unanswered": True}, "move", "loud"),
        (said("sms", 30), {"draft": True}, "move", "loud"),
        (said("sms", 30), {"answered_at": NOON + minutes(10)}, "move", "loud"),
        (said("sms", 50), {"answered_at": NOON + minutes(10)}, "move", "calm"),
        (said("sms", 30), {"wrote_there_at": NOON + minutes(5), "unanswered": True}, "move", "quiet"),
        (said("sms", 30), {"wrote_there_at": NOON - minutes(5), "unanswered": True}, "move", "loud"),
        (said("sms", 30), {"invited": True, "unanswered": True}, "move", "quiet"),
        (said("sms", 0.5, "Where is it?"), {"unanswered": True}, "also_sent", ""),
        (said("sms", 5, "where  is IT?"), {"unanswered": True}, "move", "quiet"),
        (said("sms", -0.5, "Where is it?"), {"unanswered": True}, "also_sent", ""),
        (said("sms", -30, "Where is it?", sent_at=NOON - minutes(30)), {"unanswered": True}, "late", ""),
        (said("sms", 0.5, "Something else"), {"unanswered": True}, "move", "loud"),
        (
            said("sms", 9, "x"),
            {"unanswered": True, "last_switch_at": NOON, "last_switch_from": "sms"},
            "move",
            "quiet",
        ),
        (
            said("sms", 11, "x"),
            {"unanswered": True, "last_switch_at": NOON, "last_switch_from": "sms"},
            "move",
            "loud",
        ),
        (
            said("sms", 9, "x"),
            {"unanswered": True, "last_switch_at": NOON, "last_switch_from": "instagram"},
            "move",
            "loud",
        ),
    ],
)
def test_when_a_message_is_a_switch_and_how_loud(new: Said, around: dict[str, Any], kind: str, loudness: str) -> None:
    verdict = judge(said("email", 0, "Where is it?"), new, Surroundings(**around))
    assert (verdict.kind, verdict.loudness) == (kind, loudness)
    assert bool(verdict.reason) == (kind == "move")


def test_the_first_message_ever_is_no_switch() -> None:
    assert judge(None, said("sms", 0), Surroundings()).kind == "same"


def test_a_mail_written_before_the_text_is_late_and_no_switch() -> None:
    late = said("email", 30, sent_at=NOON - minutes(5))
    assert judge(said("sms", 0), late, Surroundings(unanswered=True)).kind == "late"


CHANNELS = st.sampled_from(["email", "sms", "instagram"])


@given(CHANNELS, CHANNELS, st.floats(0, 10_000), st.builds(Surroundings, st.booleans(), st.booleans()))
def test_the_same_channel_is_never_a_switch_and_another_one_always_has_a_verdict(
    before: str, after: str, later: float, around: Surroundings
) -> None:
    verdict = judge(said(before, 0, "one"), said(after, later, "two"), around)
    assert verdict.is_move == (before != after)
    if verdict.is_move:
        assert verdict.loudness in ("loud", "calm", "quiet")


@given(st.sampled_from(["quiet", "calm", "loud"]), st.sampled_from(["quiet", "calm", "loud"]))
def test_a_card_never_grows_quieter(one: str, other: str) -> None:
    order = ["quiet", "calm", "loud"]
    assert order.index(louder(one, other)) >= max(order.index(one), order.index(other))


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ({"open": [("email", "10:52")]}, "Maya is on SMS now. The email from 10:52 has no answer yet."),
        (
            {"answered_minutes": 5},
            "Maya is on SMS now. You answered by email 5 minutes ago; it may not have been seen.",
        ),
        ({"has_draft": True}, "Maya is on SMS now. Your unsent email draft is kept."),
        ({"followed": True}, "Maya followed you to SMS."),
        ({}, "Maya is on SMS now. Everything before was answered."),
        ({"gap": timedelta(days=16)}, "Maya is back, on SMS this time, 16 days after the last email."),
        (
            {"channels": ["email", "instagram", "sms"], "minutes": 12, "open": [("email", "10:52")]},
            "Maya has written on 3 channels in 12 minutes. Latest: SMS.",
        ),
    ],
)
def test_what_the_card_says(story: dict[str, Any], words: str) -> None:
    assert sentence(Story(name="Maya", channel="sms", from_channel="email", **story)) == words


def test_an_opening_line_never_quotes_the_other_channel() -> None:
    story = Story(name="Maya Ortiz", channel="sms", from_channel="email", open=[("email", "10:52")])
    assert opening_line(story) == "Hi Maya, I have your email here too, so no need to send it again. "
    answered = Story(name="Maya", channel="sms", from_channel="email", answered_minutes=5)
    assert opening_line(answered, answered_at="13:55") == "Hi Maya, I answered your email at 13:55. In short: "


def test_a_number_is_not_greeted_by_name() -> None:
    story = Story(name="+1 415 ··· 2671", channel="sms", from_channel="email", open=[("email", "10:52")])
    assert opening_line(story).startswith("Hi, I have")


def test_the_divider_says_where_to_and_what_was_left() -> None:
    gap = timedelta(hours=3, minutes=10)
    assert divider("email", "sms", gap, unanswered=True) == (
        "Moved from Email to SMS",
        "after 3 h 10 m without an answer",
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "less than a minute"), (1, "1 minute"), (12, "12 minutes"), (192, "3 h 12 m"), (120, "2 h"), (4320, "3 days")],
)
def test_durations_read_as_people_say_them(number: int, words: str) -> None:
    assert duration(number) == words


EMAIL = Way("1-1", "email", True, NOON)
SMS = Way("2-2", "sms", True, NOON + minutes(5))
CLOSED = Way("3-3", "instagram", False, NOON + minutes(9), "the window closed 4 days ago")


@pytest.mark.parametrize(
    ("ways", "about", "key", "why"),
    [
        ([EMAIL, SMS], {"current": "sms"}, "2-2", ""),
        ([EMAIL, SMS], {"current": "email"}, "1-1", ""),
        ([EMAIL, SMS], {"current": "sms", "draft_channel": "email"}, "1-1", "now on SMS"),
        ([EMAIL, SMS], {"current": "email", "draft_channel": "email"}, "1-1", ""),
        ([EMAIL, SMS], {"current": "sms", "chosen": "1-1"}, "1-1", ""),
        ([EMAIL, CLOSED], {"current": "instagram"}, "1-1", "Instagram cannot be used: the window closed 4 days ago"),
        ([CLOSED], {"current": "instagram"}, None, "There is no way to write to this person now."),
        ([EMAIL, CLOSED], {"current": "email", "chosen": "3-3"}, "1-1", ""),
        ([EMAIL, SMS], {"current": ""}, "2-2", ""),
    ],
)
def test_where_the_composer_answers(ways: list[Way], about: dict[str, str], key: str | None, why: str) -> None:
    way, words = default_way(ways, **about)
    assert (way.key if way else None) == key
    assert words == why


@given(st.lists(st.builds(Way, st.text(min_size=1, max_size=4), CHANNELS, st.booleans()), max_size=6), CHANNELS)
def test_the_composer_never_offers_what_cannot_be_used(ways: list[Way], current: str) -> None:
    way, _ = default_way(ways, current=current)
    assert way is None or way.usable
    assert way is not None or not any(each.usable for each in ways)
