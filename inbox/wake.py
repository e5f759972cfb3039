"""Telling other processes that there is something to do or to show. Redis makes things faster; nobody waits for it.

Everything goes through one background thread with a bounded queue and a circuit breaker: a Redis that is down, full or
hanging costs a request nothing. What is dropped here is found by `manage.py sweep` and by the browsers' catch-up.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import redis
from celery import Task
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)
LIVE_CHANNEL = "throughline:live"
ROOM = 2_000
OPEN_SECONDS = 5.0
TOGETHER = 8  # ids in one message, for one worker one after the other
GAP = 0.02  # seconds between two of them, if fewer came
PATIENT = 0.5  # the same, for what nobody is waiting for
Waiting = TypeVar("Waiting")


class Messenger:
    """One thread; calls are dropped while Redis is unreachable or the queue is full."""

    def __init__(self, gap: float = GAP) -> None:
        self.gap = gap
        self.calls: queue.Queue[Callable[[], object]] = queue.Queue(ROOM)
        self.crowds: defaultdict[Task[..., None], deque[int]] = defaultdict(lambda: deque(maxlen=ROOM))
        self.frames: deque[str] = deque(maxlen=ROOM)
        self.asked_at = self.closed_until = 0.0
        self.pid = os.getpid()
        self.thread = threading.Thread(target=self._run, name="messenger", daemon=True)
        self.thread.start()

    @property
    def is_closed(self) -> bool:
        return time.monotonic() < self.closed_until

    def put(self, call: Callable[[], object]) -> bool:
        """False when it is dropped."""
        if self.is_closed:
            return False
        try:
            self.calls.put_nowait(call)
        except queue.Full:
            self._close()
            return False
        return True

    def gather(self, task: Task[..., None], pk: int) -> None:
        """Those that come within a moment go in one message, since making one costs more than storing a receipt. The
        first waits for nobody."""
        if not self.is_closed:
            self.crowds[task].append(pk)
            self.put(lambda: self._ask_for_some(task))

    def tell(self, frame: str) -> None:
        """What gathered by the time it is told goes in one trip."""
        self.frames.append(frame)
        if not self.put(self._tell_all):
            self.frames.clear()  # an old frame tells nobody anything

    def _tell_all(self) -> None:
        frames = taken_from(self.frames, ROOM)
        if frames:
            with _redis(os.getpid()).pipeline(transaction=False) as trip:
                for frame in frames:
                    trip.publish(LIVE_CHANNEL, frame)
                trip.execute()

    def _ask_for_some(self, task: Task[..., None]) -> None:
        crowd = self.crowds[task]
        if 0 < len(crowd) < TOGETHER:
            time.sleep(max(0.0, self.asked_at + self.gap - time.monotonic()))
        some = taken_from(crowd, TOGETHER)
        if some:
            self.asked_at = time.monotonic()
            task.apply_async(tuple(some), retry=False, ignore_result=True)

    def _run(self) -> None:
        while True:
            call = self.calls.get()
            try:
                if not self.is_closed:
                    call()
            except Exception as error:  # noqa: BLE001  Redis and Celery raise many kinds; all mean "not now"
                log.warning("Redis cannot be reached, going on without it: %s", error)
                self._close()
            finally:
                self.calls.task_done()

    def _close(self) -> None:
        """For a while. What waits is dropped, or what comes later would queue behind it: the sweeper has it by then."""
        self.closed_until = time.monotonic() + OPEN_SECONDS
        for crowd in list(self.crowds.values()):
            crowd.clear()
        self.frames.clear()


def taken_from(crowd: deque[Waiting], most: int) -> list[Waiting]:
    """Another thread may empty it meanwhile."""
    some: list[Waiting] = []
    with suppress(IndexError):
        while len(some) < most:
            some.append(crowd.popleft())
    return some


_messengers: dict[float, Messenger] = {}


def messenger(gap: float = GAP) -> Messenger:
    """The process's own: threads do not survive a fork. One that waits longer between two messages keeps nobody else
    waiting."""
    mine = _messengers.get(gap)
    if mine is None or mine.pid != os.getpid():
        mine = _messengers[gap] = Messenger(gap)
    return mine


@cache
def _redis(pid: int) -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)


def wake(task: Task[..., None], *arguments: Any, after: float = 0) -> None:
    """After commit, asks a worker to run the task now, or `after` some seconds (far fewer than the broker's
    visibility timeout)."""

    def ask() -> None:
        task.apply_async(arguments, countdown=after, retry=False, ignore_result=True)

    transaction.on_commit(lambda: messenger().put(ask), robust=True)


def wake_for(task: Task[..., None], pk: int, *, gap: float = GAP) -> None:
    """Like `wake`, for what comes in crowds: the task takes one id or several."""
    transaction.on_commit(lambda: messenger(gap).gather(task, pk), robust=True)


def publish(frame: dict[str, Any]) -> None:
    """At once, to every web process."""
    messenger().tell(json.dumps(frame, separators=(",", ":")))
