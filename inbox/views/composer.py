"""What the composer offers: ways, the text kept for this agent, what a reply would also answer, who is copied in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID, uuid4

from inbox.models import Agent, Attachment, Case, Draft, Entry, EntryKind, Participant, ParticipantRole
from inbox.outbox import Option, Wanted, default_option, introduction, wanted
from inbox.views.has import Has


@dataclass(frozen=True)
class Tie:
    """Something unanswered on another channel, which this reply may answer too."""

    channel: str
    entries: Sequence[Entry]

    @property
    def value(self) -> str:
        return ",".join(str(entry.pk) for entry in self.entries)


@dataclass(frozen=True)
class Composer:
    option: Option | None
    options: Sequence[Option]
    why: str
    ties: Sequence[Tie]
    moved_to: Option | None  # the customer is there, the text stays here
    copied: Sequence[Participant]
    subject: str
    newest: int
    form: UUID  # the form's own id: sent twice, it is one reply
    draft: Draft | None = None
    note: Draft | None = None
    files: Sequence[Attachment] = field(default_factory=tuple)
    introduction: str = ""  # what we put before the text
    wanted: Wanted | None = None  # another address at which they want the answer
    sent_to: str = ""  # which of the two


def composer_of(
    case: Case,
    agent: Agent,
    *,
    ways: Sequence[Option],
    waiting: Sequence[Entry],
    family: Sequence[int],
    has: Has,
    picked: str = "",
) -> Composer:
    """`picked` is an option that holds whatever the rule would say: the agent chose it, or has begun to write there."""
    drafts = _drafts(case, agent) if has.drafts else []
    draft = next((each for each in drafts if each.channel != "note" and _is_begun(each)), None)
    kept = next((way for way in ways if way.key == picked and way.is_usable), None)
    option, why = (kept, "") if kept else default_option(case, ways, draft=draft)
    other = wanted(case, option)
    there = next((way for way in ways if way.channel == case.channel and way.is_usable), None)
    return Composer(
        option=option,
        options=ways,
        why="" if why.startswith("now on") else why,
        ties=_ties(waiting, option),
        moved_to=there if option and there and option.channel != case.channel else None,
        copied=copied_in(family) if has.participants else [],
        subject=(draft.subject if draft and draft.subject else "") or case.subject,
        newest=has.newest,
        form=uuid4(),
        draft=draft,
        note=next((each for each in drafts if each.channel == "note" and each.text), None),
        files=list(draft.attachments.all()) if draft else [],
        introduction=introduction(case, option) if option else "",
        wanted=other,
        sent_to=_sent_to(option, other, draft),
    )


def _sent_to(option: Option | None, other: Wanted | None, draft: Draft | None) -> str:
    if option is None or other is None:
        return ""
    own = option.identity.value
    usual = other.address if other.is_default else own
    return draft.sent_to if draft and draft.sent_to in (own, other.address) else usual


def _drafts(case: Case, agent: Agent) -> list[Draft]:
    return list(Draft.objects.filter(case=case, agent=agent).order_by("-saved_at").prefetch_related("attachments"))


def _is_begun(draft: Draft) -> bool:
    return bool(draft.text or draft.cc or draft.bcc or draft.attachments.all())


def _ties(waiting: Sequence[Entry], option: Option | None) -> list[Tie]:
    """Of the customer's own words: who was copied in on a mail does not see an answer by text."""
    if option is None:
        return []
    theirs = [each for each in waiting if each.kind == EntryKind.MESSAGE and each.channel != option.channel]
    elsewhere = sorted(theirs, key=lambda each: each.channel)
    return [Tie(channel, list(entries)) for channel, entries in groupby(elsewhere, key=lambda each: each.channel)]


def copied_in(family: Sequence[int]) -> list[Participant]:
    people = Participant.objects.filter(case__in=family).exclude(role=ParticipantRole.REMOVED)
    found = {each.identity_id: each for each in people.select_related("identity").order_by("-pk")[:40]}  # once each
    written_to = [each for each in found.values() if not each.identity.blocked_at and not each.identity.is_wrong]
    return sorted(written_to, key=lambda each: each.pk)[:20]
