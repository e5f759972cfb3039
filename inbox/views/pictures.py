"""Figures as shapes: where lines and bars go. Pure; colour and words are the template's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from inbox.metrics import CHANNELS, FirstResponse, Moves

LANE = 56  # px between two channels of the bump chart
WIDEST, THINNEST, EDGE, GAP = 16.0, 2.0, 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Ribbon:
    """One way people moved, 0 to 100 across. The paler part left something unanswered; its edge is dashed."""

    moves: Moves
    path: str
    width: float
    pale_path: str
    pale_width: float
    edge_path: str


def ribbons(moves: Sequence[Moves], channels: Sequence[str] = CHANNELS) -> list[Ribbon]:
    """2 px a move while they are few, at most 16 px for the most travelled way; neighbours lie beside each other."""
    most = max((each.number for each in moves), default=1)
    widths = {each: max(THINNEST, each.number * min(THINNEST, WIDEST / most)) for each in moves}
    known = [each for each in moves if each.from_channel in channels and each.to_channel in channels]
    starts = _stacked(known, channels, widths, lambda each: each.from_channel, lambda each: each.to_channel)
    ends = _stacked(known, channels, widths, lambda each: each.to_channel, lambda each: each.from_channel)
    return [_ribbon(each, widths[each], starts[each], ends[each]) for each in known]


def _stacked(
    moves: Sequence[Moves],
    channels: Sequence[str],
    widths: Mapping[Moves, float],
    side: Callable[[Moves], str],
    other: Callable[[Moves], str],
) -> dict[Moves, float]:
    """The upper edge of every ribbon on one side: ribbons of a channel lie in the order of where they come from."""
    edges: dict[Moves, float] = {}
    for row, channel in enumerate(channels):
        here = sorted((each for each in moves if side(each) == channel), key=lambda each: channels.index(other(each)))
        y = row * LANE + LANE / 2 - (sum(widths[each] for each in here) + GAP * (len(here) - 1)) / 2
        for each in here:
            edges[each] = y
            y += widths[each] + GAP
    return edges


def _ribbon(moves: Moves, width: float, start: float, end: float) -> Ribbon:
    pale = width * moves.unanswered / moves.number
    solid = width - pale
    return Ribbon(
        moves,
        _curve(start + solid / 2, end + solid / 2) if solid else "",
        round(solid, 2),
        _curve(start + solid + pale / 2, end + solid + pale / 2) if pale > EDGE else "",
        round(pale, 2),
        _curve(start + width - EDGE / 2, end + width - EDGE / 2) if pale else "",
    )


def _curve(start: float, end: float) -> str:
    return f"M0 {start:.1f}C52 {start:.1f} 48 {end:.1f} 100 {end:.1f}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, drawn in a box 40 high."""

    day: date
    number: int
    height: float
    y: float
    is_peak: bool
    is_today: bool


@dataclass(frozen=True, slots=True)
class Bars:
    channel: str
    total: int
    days: Sequence[Bar]


def bars(volume: Mapping[date, Mapping[str, int]], channels: Sequence[str] = CHANNELS) -> list[Bars]:
    """One row of bars a channel, all on one scale, so that rows can be compared."""
    most = max((number for day in volume.values() for number in day.values()), default=0) or 1
    last = max(volume, default=None)
    found = []
    for channel in channels:
        numbers = {day: volume[day].get(channel, 0) for day in volume}
        peak = max(numbers.values(), default=0)
        days = []
        for day, number in numbers.items():
            height = max(number / most * 40, 1.5) if number else 0.5
            days.append(
                Bar(day, number, round(height, 1), round(40 - height, 1), bool(peak) and number == peak, day == last)
            )
        found.append(Bars(channel, sum(numbers.values()), days))
    return found


@dataclass(frozen=True, slots=True)
class Reach:
    """How long answers took on a channel: where median and p90 lie, 0 to 100 across."""

    response: FirstResponse
    median: float
    p90: float


def reaches(responses: Sequence[FirstResponse]) -> list[Reach]:
    longest = max((each.p90 for each in responses), default=timedelta()) or timedelta(seconds=1)
    return [Reach(each, _across(each.median, longest), _across(each.p90, longest)) for each in responses]


def _across(length: timedelta, longest: timedelta) -> float:
    return round(2 + length / longest * 94, 1)
