"""One customer, as far as they can be known again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    kind: str
    scope: str
    value: str
    handle: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A trace, with the entry it was seen in."""

    kind: str
    value: str
    manner: str = ""
    entry: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    channel: str
    at: datetime
    entry: int


@dataclass(slots=True)
class Side:
    """One customer, as far as they can be known again."""

    pk: int
    name: str = ""
    language: str = ""
    is_line: bool = False  # an office, a family: not one person
    addresses: list[Address] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    external: dict[str, set[str]] = field(default_factory=dict)
    related: set[int] = field(default_factory=set)

    @property
    def called(self) -> str:
        if self.name:
            return self.name
        first = self.addresses[0] if self.addresses else None
        return (f"@{first.handle}" if first.handle else first.value) if first else "the other"

    def of(self, kind: str) -> dict[str, Seen]:
        return {each.value: each for each in self.seen if each.kind == kind}
