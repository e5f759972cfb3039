"""What two joined people are called and how they are written to: chosen at the join, given back at the parting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from customers.models import Customer
from inbox.merging.journal import FIELDS
from inbox.models import Merge

LABELS = {"name": "Name", "language": "Language", "time_zone": "Time zone", "prefers": "Preferred channel"}


class Side(StrEnum):
    STAYS = "stays"
    LEAVES = "leaves"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Edited:
    """A field that somebody changed after the join: `value` now, and what each would get back."""

    name: str
    label: str
    value: str
    stays: str
    leaves: str


def edited_since(merge: Merge) -> list[Edited]:
    """Only these need an agent's word when the join is taken back; the journal knows the rest."""
    was, then, survivor = merge.before.get("person", {}), merge.before.get("person_then", {}), merge.survivor
    by_joins = _set_by_later_joins(merge)
    return [
        Edited(name, LABELS[name], getattr(survivor, name), was.get(name, ""), getattr(merge.absorbed, name))
        for name in FIELDS
        if name in then and getattr(survivor, name) not in ("", then[name], *by_joins.get(name, []))
    ]


def _set_by_later_joins(merge: Merge) -> dict[str, list[str]]:
    later = Merge.objects.in_force().filter(survivor=merge.survivor, pk__gt=merge.pk)
    thens = [each.before.get("person_then", {}) for each in later]
    return {name: [then[name] for then in thens if name in then] for name in FIELDS}


def part(merge: Merge, survivor: Customer, leaves: Customer, whose: Mapping[str, Side]) -> None:
    """Changes both; the caller saves them. What nobody touched since is as it was before."""
    was = merge.before["person"]
    then = merge.before.get("person_then", {"name": leaves.name})
    edited = {each.name for each in edited_since(merge)}
    for name in FIELDS:
        value, side = getattr(survivor, name), whose.get(name, Side.STAYS)
        if name in edited and side != Side.STAYS:
            setattr(leaves, name, value)
            if name == "name":
                leaves.named_by_agent = survivor.named_by_agent
        learned = name == "name" and not was["name"] and not survivor.named_by_agent  # on which side, nobody knows
        is_as_then = name in then and value == then[name]
        if is_as_then or learned or (name in edited and side == Side.LEAVES):
            setattr(survivor, name, was.get(name, value))
            if name == "name":
                survivor.named_by_agent = was["named_by_agent"]


def correct(outer: Merge, merge: Merge) -> None:
    """A later join of the same person noted what this one had brought: it is nobody's to give back any more."""
    was, then = merge.before.get("person", {}), merge.before.get("person_then", {})
    noted = outer.before.get("person", {})
    if outer.survivor_id != merge.survivor_id or outer.pk < merge.pk:
        return
    for name in FIELDS:
        if name in then and was.get(name) != then[name] and noted.get(name) == then[name]:
            noted[name] = was[name]
            if name == "name":
                noted["named_by_agent"] = was["named_by_agent"]
