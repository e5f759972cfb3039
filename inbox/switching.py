"""When a customer changed channel, how loud that is, what the card says, and where the composer answers.

Pure: values in, values out, no database. The rules are architecture.md §4 and design.md §7.5; each has a table test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from connectors.messages import CHANNEL_WORDS

SAME_WORDS_WITHIN = timedelta(seconds=60)
ANSWERED_LATELY = timedelta(minutes=30)
FLIPS_BACK_WITHIN = timedelta(minutes=10)
LONG_GAP = timedelta(hours=72)
WORDS = {channel.value: words.name for channel, words in CHANNEL_WORDS.items()}
IN_SENTENCE = {channel.value: words.inside for channel, words in CHANNEL_WORDS.items()}
THE_MESSAGE = {channel.value: words.message for channel, words in CHANNEL_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the customer. `at`: when it reached us; `sent_at`: when it was written, if the provider knows."""

    channel: str
    at: datetime
    text: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What matters of the case at the moment the new message arrives."""

    unanswered: bool = False  # something is open on another channel than the new one
    draft: bool = False  # an agent has unsent text for the old channel
    answered_at: datetime | None = None  # our last reply on the old channel
    wrote_there_at: datetime | None = None  # our last message to this person on the new channel
    invited: bool = False
    last_switch_at: datetime | None = None
    last_switch_from: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kind`: same · move · also_sent (the same words, within a minute) · late (written before the last one)."""

    kind: str
    loudness: str = ""
    reason: str = ""

    @property
    def is_move(self) -> bool:
        return self.kind == "move"


def judge(previous: Said | None, new: Said, around: Surroundings) -> Verdict:
    """Whether the new message of a person is a switch, and how loud it is."""
    if previous is None or previous.channel == new.channel:
        return Verdict("same")
    if _same_words(previous.text, new.text) and abs(new.at - previous.at) <= SAME_WORDS_WITHIN:
        return Verdict("also_sent")
    if new.sent_at and new.sent_at < (previous.sent_at or previous.at):
        return Verdict("late")
    if around.wrote_there_at and around.wrote_there_at > previous.at:
        return Verdict("move", "quiet", "followed us there")
    if around.invited:
        return Verdict("move", "quiet", "was invited there")
    if _same_words(previous.text, new.text):
        return Verdict("move", "quiet", "the same text again")
    if (
        around.last_switch_at
        and around.last_switch_from == new.channel
        and new.at - around.last_switch_at <= FLIPS_BACK_WITHIN
    ):
        return Verdict("move", "quiet", "back again within 10 minutes")
    if around.unanswered:
        return Verdict("move", "loud", "something is unanswered on the old channel")
    if around.draft:
        return Verdict("move", "loud", "there is a draft for the old channel")
    if around.answered_at and new.at - around.answered_at < ANSWERED_LATELY:
        return Verdict("move", "loud", "we answered on the old channel minutes ago")
    return Verdict("move", "calm", "everything was answered")


def _same_words(one: str, other: str) -> bool:
    first, second = (" ".join(text.casefold().split()) for text in (one, other))
    if not first or not second:
        return False
    return first == second or (
        min(len(first), len(second)) > 20 and SequenceMatcher(None, first[:500], second[:500]).ratio() > 0.95
    )


def louder(one: str, other: str) -> str:
    order = ("quiet", "calm", "loud")
    return max(one, other, key=order.index)


@dataclass(frozen=True, slots=True)
class Story:
    """What the sentence is told from. `open` are (channel, clock) of what is unanswered elsewhere, oldest first."""

    name: str
    channel: str
    from_channel: str
    open: Sequence[tuple[str, str]] = ()
    answered_minutes: int | None = None
    has_draft: bool = False
    channels: Sequence[str] = ()
    minutes: int = 0
    gap: timedelta = timedelta()
    followed: bool = False


def sentence(story: Story) -> str:
    """One sentence for the head of the card, said aloud by screen readers too. Never a guessed he or she."""
    name, here = story.name, IN_SENTENCE[story.channel]
    if len(story.channels) > 2:
        number, latest = len(story.channels), WORDS[story.channel]
        return f"{name} has written on {number} channels in {duration(story.minutes)}. Latest: {latest}."
    if story.open:
        channel, clock = story.open[0]
        return f"{name} is on {here} now. The {THE_MESSAGE[channel]} from {clock} has no answer yet."
    if story.has_draft:
        return f"{name} is on {here} now. Your unsent {IN_SENTENCE[story.from_channel]} draft is kept."
    if story.followed:
        return f"{name} followed you to {here}."
    if story.answered_minutes is not None:
        return (
            f"{name} is on {here} now. You answered by {IN_SENTENCE[story.from_channel]} "
            f"{_ago(story.answered_minutes)}; it may not have been seen."
        )
    if story.gap > LONG_GAP:
        days = story.gap.days
        return f"{name} is back, on {here} this time, {days} days after the last {THE_MESSAGE[story.from_channel]}."
    return f"{name} is on {here} now. Everything before was answered."


def opening_line(story: Story, *, answered_at: str = "", agent: str = "", read_from: str = "") -> str:
    """A first line the agent may use. It never quotes what was said on another channel."""
    first = story.name.split()[0] if story.name and not story.name.startswith(("+", "@")) else ""
    hello = f"Hi {first}, " if first else "Hi, "
    if len(story.channels) > 2:
        return f"{hello}I see your messages on {_listed(story.channels)} as well. I'll answer everything here. "
    if story.open:
        return f"{hello}I have your {THE_MESSAGE[story.open[0][0]]} here too, so no need to send it again. "
    if story.answered_minutes is not None and answered_at:
        return f"{hello}I answered your {THE_MESSAGE[story.from_channel]} at {answered_at}. In short: "
    if read_from:
        return f"{hello}I'm {agent}, I've read what you wrote to {read_from}. "
    return hello


def divider(from_channel: str, to_channel: str, gap: timedelta, *, unanswered: bool) -> tuple[str, str]:
    """The timeline's words: ('Moved from Email to SMS', 'after 3 h 10 m without an answer')."""
    after = f"after {duration(int(gap.total_seconds() // 60))}" + (" without an answer" if unanswered else "")
    return f"Moved from {WORDS[from_channel]} to {WORDS[to_channel]}", after


def duration(minutes: int) -> str:
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} m" if rest else f"{hours} h"
    return f"{hours // 24} days"


def _ago(minutes: int) -> str:
    return "just now" if minutes < 1 else f"{duration(minutes)} ago"


def _listed(channels: Sequence[str]) -> str:
    names = [IN_SENTENCE[channel] for channel in channels]
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach the customer, for the composer's default. `last_at`: when they last wrote from it."""

    key: str
    channel: str
    usable: bool
    last_at: datetime | None = None
    why_not: str = ""


def default_way(
    ways: Sequence[Way], *, current: str, draft_channel: str = "", chosen: str = ""
) -> tuple[Way | None, str]:
    """Where the composer answers, and a sentence when that needs explaining (ux.md §2.8).

    A draft is never moved by itself. An agent's own choice holds until the customer moves again. Otherwise the channel
    the customer is on, if it can be used; else the most recent that can.
    """
    recent = sorted(ways, key=lambda way: way.last_at.timestamp() if way.last_at else 0.0, reverse=True)
    if draft_channel:
        kept = next((way for way in recent if way.channel == draft_channel and way.usable), None)
        if kept:
            moved = current and current != draft_channel
            return kept, f"now on {IN_SENTENCE[current]}" if moved else ""
    if chosen:
        own = next((way for way in recent if way.key == chosen and way.usable), None)
        if own:
            return own, ""
    there = [way for way in recent if way.channel == current]
    usable = next((way for way in there if way.usable), None)
    if usable:
        return usable, ""
    other = next((way for way in recent if way.usable), None)
    if other and there:
        return other, f"{WORDS[current]} cannot be used: {there[0].why_not}"
    return other, "" if other else "There is no way to write to this person now."
