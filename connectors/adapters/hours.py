"""When we are there: "Mon-Fri 9:00-17:30, Sat 10:00-14:00, not 2026-12-25". In the installation's time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOKS_BACK = 400  # days: longer no shop is closed

_OPEN = re.compile(r"([a-z]{3})[a-z]*(?:\s*[-–]\s*([a-z]{3})[a-z]*)?\s+(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)")
_CLOSED = re.compile(r"not\s+(\d{4}-\d\d-\d\d)")


class NotHours(ValueError):
    """Its words say which piece is not understood."""


@dataclass(frozen=True, slots=True)
class Hours:
    """`weekly`: weekday (Monday is 0), from, until. An `until` of 00:00 is midnight at the end of that day."""

    weekly: tuple[tuple[int, time, time], ...]
    closed_on: frozenset[date]

    def closed_since(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """The end of the last opening before `at`; None while we are there."""
        here = at.astimezone(zone)
        for begins, ends in self._openings(here, zone):
            if begins <= here:
                return None if here < ends else ends
        return here - timedelta(days=LOOKS_BACK)

    def _openings(self, here: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """The latest first."""
        for back in range(LOOKS_BACK):
            day = here.date() - timedelta(days=back)
            if day in self.closed_on:
                continue
            for _, begins, ends in sorted((each for each in self.weekly if each[0] == day.weekday()), reverse=True):
                last = day if ends > time() else day + timedelta(days=1)
                yield datetime.combine(day, begins, zone), datetime.combine(last, ends, zone)


def hours(written: str) -> Hours | None:
    """None for an empty text. Raises NotHours."""
    weekly: set[tuple[int, time, time]] = set()
    closed: set[date] = set()
    for piece in (piece.strip().casefold() for piece in re.split(r"[,;\n]", written)):
        if not piece:
            continue
        try:
            if found := _CLOSED.fullmatch(piece):
                closed.add(date.fromisoformat(found[1]))
            elif found := _OPEN.fullmatch(piece):
                weekly |= _week(*found.groups())
            else:
                raise ValueError(piece)
        except ValueError as error:
            raise NotHours(f"“{piece}” is not understood. Write it like this: Mon-Fri 9:00-17:30") from error
    if closed and not weekly:
        raise NotHours("Say when you are there too: Mon-Fri 9:00-17:30")
    return Hours(tuple(sorted(weekly)), frozenset(closed)) if weekly else None


def _week(first: str, last: str | None, begins: str, ends: str) -> set[tuple[int, time, time]]:
    start, stop = DAYS.index(first), DAYS.index(last or first)
    opens, closes = _time(begins), _time(ends)
    if opens >= closes > time():
        raise ValueError("It ends before it begins.")
    return {((start + number) % 7, opens, closes) for number in range((stop - start) % 7 + 1)}


def _time(written: str) -> time:
    hour, minute = written.split(":")
    return time(0 if hour == "24" else int(hour), int(minute))
