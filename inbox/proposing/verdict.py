"""What each reason weighs, in one table, and what all of them together say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inbox.models.proposal import Strength

WEIGHTS = {
    # for
    "same_number": 30,  # one number in two forms: whatever speaks against it, somebody has to look
    "their_address": 10,  # one gives the other's address as their own, or signs with it
    "address": 6,  # one writes the other's address
    "their_handle": 9,
    "same_address": 7,  # both give the same third address as their own
    "also_address": 3,
    "mailbox": 9,  # one mailbox behind two spellings
    "order": 5,
    "file": 5,
    "words": 5,  # the same long text
    "name": 3,
    "common_name": 2,
    "alike_name": 3,
    "alike_common": 1,
    "given_name": 1,
    "handle": 4,
    "alike_handle": 2,
    "elsewhere": 2,  # says they wrote by mail, and the other did
    "timing": 1,
    # against
    "other_name": -10,
    "maybe_name": -3,  # what stands for a name may be made up
    "of_others": -5,  # speaks of the address or the order as somebody else's
    "external": -12,  # another system knows them as two
    "related": -12,
    "shared": -4,
    "two_accounts": -3,
    "at_once": -2,
    "language": -1,
}
STRONG, POSSIBLE, WEAK = 10, 7, 5
ONLY_WITH_OTHERS = {"given_name", "alike_handle", "elsewhere", "timing"}  # these alone point at nobody
SEVERAL = 2  # more people than these two: what many have tells little

Owners = Mapping[tuple[str, str], int]  # how many people have a trace, by kind and value


@dataclass(frozen=True, slots=True)
class Line:
    """One reason. `entries`: by customer, the message it stands in; `value` is what to look for there."""

    kind: str
    points: int
    words: str
    value: str = ""
    entries: Mapping[int, int | None] = field(default_factory=dict)

    @property
    def is_for(self) -> bool:
        return self.points > 0


@dataclass(frozen=True, slots=True)
class Verdict:
    points: int
    lines: Sequence[Line]

    @property
    def strength(self) -> Strength | None:
        """None: not worth anybody's time."""
        if all(line.kind in ONLY_WITH_OTHERS for line in self.lines if line.is_for):
            return None
        if self.points >= STRONG:
            return Strength.STRONG
        return Strength.POSSIBLE if self.points >= POSSIBLE else Strength.WEAK if self.points >= WEAK else None


def line(
    kind: str,
    words: str,
    value: str = "",
    *,
    entries: Mapping[int, int | None] | None = None,
    points: int | None = None,
) -> Line:
    return Line(kind, WEIGHTS[kind] if points is None else points, words[:400], value[:320], entries or {})
