"""What comes in crowds is asked for in few messages."""

from __future__ import annotations

from typing import Any

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
