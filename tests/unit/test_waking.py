"""What comes in crowds is asked for in few messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inbox.wake import TOGETHER, Messenger


class Asked:
    """Stands in for a Celery task: remembers what a worker was asked to do."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, ...]] = []

    def apply_async(self, arguments: tuple[int, ...], **options: Any) -> None:
        self.messages.append(arguments)


def asked_after(count: int) -> list[tuple[int, ...]]:
    """The thread gets to its work only after all have come (its calls are put nowhere in tests)."""
    messenger, task = Messenger(), Asked()
    for pk in range(count):
        messenger.gather(task, pk)  # type: ignore[arg-type]
    for _ in range(count):
        messenger._ask_for_some(task)  # type: ignore[arg-type]
    return task.messages


class Redis:
    """Stands in for Redis: remembers what each trip brought."""

    def __init__(self) -> None:
        self.trips: list[list[str]] = []

    @contextmanager
    def pipeline(self, *, transaction: bool) -> Iterator[Redis]:
        self.trips.append([])
        yield self

    def publish(self, channel: str, frame: str) -> None:
        self.trips[-1].append(frame)

    def execute(self) -> None:
        """All of it was said already."""


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    stands_in = Redis()
    monkeypatch.setattr("inbox.wake._redis", lambda pid: stands_in)
    return stands_in


def test_frames_that_gather_go_in_one_trip_in_their_order(redis: Redis) -> None:
    messenger = Messenger()
    for frame in ("one", "two", "three"):
        messenger.tell(frame)
    for _ in range(3):  # it was called as often, and is done after the first
        messenger._tell_all()
    assert redis.trips == [["one", "two", "three"]]


def test_no_frame_is_told_late_that_came_while_redis_was_away(redis: Redis) -> None:
    messenger = Messenger()
    messenger.tell("before")
    messenger._close()
    assert messenger.is_closed
    messenger.frames.append("between")  # by a thread that had just looked whether it is closed
    messenger.put = lambda call: False  # type: ignore[method-assign]
    messenger.tell("while")
    messenger._tell_all()
    assert redis.trips == []


def test_what_waited_while_redis_was_away_holds_up_nobody_who_comes_after() -> None:
    messenger, task = Messenger(), Asked()
    messenger.gather(task, 1)  # type: ignore[arg-type]
    messenger._close()
    messenger.gather(task, 2)  # type: ignore[arg-type]
    messenger.closed_until = 0.0
    messenger.gather(task, 3)  # type: ignore[arg-type]
    messenger._ask_for_some(task)  # type: ignore[arg-type]
    assert task.messages == [(3,)]


def test_one_alone_is_asked_for_by_itself() -> None:
    assert asked_after(1) == [(0,)]


def test_a_crowd_goes_in_few_messages_in_its_order_and_nobody_twice() -> None:
    messages = asked_after(2 * TOGETHER + 3)
    assert [len(each) for each in messages] == [TOGETHER, TOGETHER, 3]
    assert [pk for each in messages for pk in each] == list(range(2 * TOGETHER + 3))
