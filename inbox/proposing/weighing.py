"""How much speaks for two customers being one person, and how much against. Pure and deterministic.

Nothing here links anybody: a verdict is shown to agents, each line with the message it rests on.
"""

from __future__ import annotations

from inbox.proposing import moments, told
from inbox.proposing.against import against
from inbox.proposing.likeness import likenesses
from inbox.proposing.sides import Side
from inbox.proposing.verdict import Line, Owners, Verdict


def weigh(one: Side, other: Side, owners: Owners) -> Verdict:
    lines = [
        *told.addresses(one, other, owners),
        *told.addresses(other, one, owners),
        *told.same_addresses(one, other, owners),
        *told.things(one, other, owners),
        *likenesses(one, other, owners),
        *moments.said_elsewhere(one, other),
        *moments.said_elsewhere(other, one),
        *moments.timing(one, other),
        *against(one, other),
    ]
    best: dict[tuple[str, str], Line] = {}
    for line in lines:
        best.setdefault((line.kind, line.value), line)
    return Verdict(sum(line.points for line in best.values()), list(best.values()))
