"""When two people wrote: "I mailed you yesterday", at nearly the same time, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from inbox.models.trace import TraceKind
from inbox.proposing.sides import Side
from inbox.proposing.verdict import Line, line

LATELY, SOON, AT_ONCE = timedelta(days=10), timedelta(minutes=30), timedelta(minutes=3)


def said_elsewhere(teller: Side, writer: Side) -> Iterator[Line]:
    """ "I mailed you yesterday", and the other did."""
    for channel, said in teller.of(TraceKind.ELSEWHERE).items():
        wrote = [each for each in writer.written if each.channel == channel]
        near = [each for each in wrote if said.at is None or timedelta() <= said.at - each.at <= LATELY]
        if near and not any(each.channel == channel for each in teller.written):
            how = {"email": "by email", "sms": "a text"}.get(channel, "on Instagram")
            words = f"{teller.called} says they wrote {how}; {writer.called} did"
            yield line("elsewhere", words, entries={teller.pk: said.entry, writer.pk: near[-1].entry})


def timing(one: Side, other: Side) -> Iterator[Line]:
    gaps = [
        (abs(first.at - second.at), first, second)
        for first in one.written
        for second in other.written
        if first.channel != second.channel
    ]
    if gaps:
        gap, first, second = min(gaps, key=lambda each: each[0])
        if gap <= SOON:
            words = f"Both wrote within {max(2, round(gap.total_seconds() / 60))} minutes"
            yield line("timing", words, entries={one.pk: first.entry, other.pk: second.entry})


def took_turns(one: Side, other: Side) -> bool:
    """Nobody types on two channels within the same minutes, over and over."""
    said = sorted([(each.at, one.pk) for each in one.written] + [(each.at, other.pk) for each in other.written])
    turns = sum(1 for (at, who), (later, by) in pairwise(said) if who != by and later - at <= AT_ONCE)
    return turns >= 3
