"""What the menu offers for putting a case aside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from inbox.views.case import snooze_times


@pytest.mark.parametrize("day", range(16, 23))  # Monday to Sunday
def test_no_two_of_the_offered_times_are_the_same(day: int) -> None:
    with time_machine.travel(datetime(2026, 11, day, 14, 30, tzinfo=UTC), tick=False):
        times = [at for _, at in snooze_times()]
    assert len(set(times)) == len(times)
    assert times == sorted(times)
