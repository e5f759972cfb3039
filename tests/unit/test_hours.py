"""When we are there."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.adapters.hours import NotHours, hours

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = "Mon-Fri 9:00-12:00, Mon-Fri 13:00-17:30; Saturday 10:00 - 14:00\nnot 2026-12-25"


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "since"),
    [
        ("2026-11-23T09:00", None),  # a Monday
        ("2026-11-23T11:59", None),
        ("2026-11-23T12:00", "2026-11-23T12:00"),
        ("2026-11-23T08:59", "2026-11-21T14:00"),
        ("2026-11-22T16:00", "2026-11-21T14:00"),
        ("2026-11-21T13:59", None),
        ("2026-12-25T11:00", "2026-12-24T17:30"),
        ("2026-12-26T11:00", None),
    ],
)
def test_since_when_we_are_gone(moment: str, since: str | None) -> None:
    found = hours(SHOP)
    assert found
    assert found.closed_since(at(moment), BERLIN) == (at(since) if since else None)


def test_it_is_told_in_the_shops_time_wherever_the_message_came_from() -> None:
    found = hours("Mon-Sun 9:00-17:00")
    assert found
    assert found.closed_since(datetime.fromisoformat("2026-07-01T06:59:00+00:00"), BERLIN)
    assert found.closed_since(datetime.fromisoformat("2026-07-01T07:00:00+00:00"), BERLIN) is None


def test_a_night_ends_at_midnight_and_a_week_may_go_over_sunday() -> None:
    found = hours("Fri-Mon 18:00-24:00")
    assert found
    assert found.closed_since(at("2026-11-22T23:59"), BERLIN) is None
    assert found.closed_since(at("2026-11-23T00:00"), BERLIN) == at("2026-11-23T00:00")
    assert found.closed_since(at("2026-11-25T20:00"), BERLIN) == at("2026-11-24T00:00")


def test_nothing_said_is_no_hours() -> None:
    assert hours(" \n") is None


@pytest.mark.parametrize(
    "written",
    [
        "always",
        "Mon 9-17",
        "Mon-Fri 17:00-9:00",
        "Foo 9:00-17:00",
        "Mon 9:00-25:00",
        "not 2026-13-01",
        "not 2026-12-25",
    ],
)
def test_what_is_not_understood_is_said(written: str) -> None:
    with pytest.raises(NotHours, match="Mon-Fri 9:00-17:30"):
        hours(written)
