"""How sure we are that an address is this person's. Pure.

A provider's word that *this sender wrote* is not yet a word about *whose* the address is: an agent who says "the same
person" may be wrong, and a number changes hands. What was learned on a surer address is kept from a less sure one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

SILENCE = timedelta(days=180)  # after which a number may have been given to somebody else


class Assurance(StrEnum):
    SHARED = "shared"  # an office line, a family's mailbox: more than one person reads it
    CLAIMED = "claimed"  # somebody said so, or it has been silent for long
    OBSERVED = "observed"  # they wrote from it themselves
    PROVEN = "proven"  # they returned a code, their mail server vouched for them, or a system that has proof told us

    @property
    def is_sure(self) -> bool:
        """Enough to be told what was learned elsewhere."""
        return self in (Assurance.OBSERVED, Assurance.PROVEN)


SAID_BY_US = ("joined", "added")  # reasons of a link that rest on an agent's word alone


SETTLES = ("code", "signed")  # reasons that end a doubt which is older than they are


def is_doubted(
    reason: str, *, made_at: datetime, heard_at: datetime | None, doubted_at: datetime | None, at: datetime
) -> bool:
    """Silent for half a year, now or before they last wrote; a proof since then settles it.

    `heard_at`: when the address last wrote; `doubted_at`: when it wrote again after such a silence.
    """
    settled_at = made_at if reason in SETTLES else None
    if doubted_at and not (settled_at and settled_at >= doubted_at):
        return True
    known_at = max((each for each in (heard_at, settled_at) if each), default=None)
    return known_at is not None and known_at < at - SILENCE


def assurance(reason: str, *, has_written: bool, is_vouched: bool, is_doubted: bool, is_shared: bool) -> Assurance:
    """`reason`: of the active link; `is_vouched`: a mail server did."""
    if is_shared:
        return Assurance.SHARED
    if reason in SETTLES and not is_doubted:
        return Assurance.PROVEN
    if reason in SAID_BY_US or is_doubted or not has_written:
        return Assurance.CLAIMED
    return Assurance.PROVEN if is_vouched else Assurance.OBSERVED


def words(found: Assurance, reason: str, *, is_doubted: bool) -> str:
    """Why, for the chip: one sentence."""
    if found == Assurance.SHARED:
        return "More than one person reads this address."
    if is_doubted:
        return "Silent for more than half a year: it may have changed hands."
    if reason == "signed":
        return "A system of ours that has proof told us."
    if reason == "code":
        return "Wrote a code that we had given to this person elsewhere."
    if reason in SAID_BY_US:
        return "An agent said so; no code was returned yet."
    if found == Assurance.CLAIMED:
        return "On record, and never written from."
    return "Their mail server vouched for them." if found == Assurance.PROVEN else "They wrote from it themselves."
