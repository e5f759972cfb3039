"""What an adapter answers when it is asked: who somebody is, whether all works, what was missed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.errors import ConnectionLost

Known = Callable[[Collection[str]], Collection[str]]  # which of these provider ids are here already
MOST_TRIES = 20  # to see what a provider does not show


@dataclass(frozen=True, slots=True)
class Profile:
    name: str = ""
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a live test found out. `words`: what was seen; `fix`: what to do about it, when not `ok`."""

    name: str
    ok: bool
    words: str
    fix: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Missed:
    """A message found at the provider, as the webhook that should have told of it: it parses like any other.

    `at`: when it was written, as the provider knows.
    """

    provider_id: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a provider would not show, by its own name for it. `since`: from then on nobody here has read it."""

    name: str
    since: datetime
    reason: str
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What a provider has since some time, the oldest first. `skipped`: what it would not show, now or earlier.

    `trouble`: why it was not asked to the end; then the rest is to be asked for again, since the same time.
    """

    missed: Sequence[Missed] = ()
    skipped: Sequence[Skipped] = ()
    trouble: ConnectionLost | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A sign-in that was renewed: what to put into the account's secrets and options, the rest stays."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """An account its owner lets us speak for: its address, what to call it, and what its connector keeps."""

    address: str
    name: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
