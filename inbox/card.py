"""The switch card: everything an agent needs to go on in the new channel without asking again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.timezone import localtime, now

from inbox import switching
from inbox.models import (
    Agent,
    Alert,
    Attachment,
    Case,
    Draft,
    Entry,
    EntryKind,
    Fact,
    Loudness,
    Participant,
    ParticipantRole,
    Switch,
)
from inbox.switching import Story

ANSWERED_LATELY = timedelta(minutes=30)
MOST_SAID = 3


@dataclass(frozen=True)
class Said:
    """The customer's own words on one channel; the newest of it, or what is open there."""

    entry: Entry
    channel: str
    time: datetime
    words: str
    is_open: bool


@dataclass(frozen=True)
class Told:
    """A fact the customer gave already. Click inserts it; the entry says where it was told."""

    label: str
    entry_id: int
    insert: str


@dataclass(frozen=True)
class Card:
    alert: Alert
    switch: Switch
    channel: str
    from_channel: str
    level: str
    sentence: str
    picture: Sequence[tuple[str, bool]]
    said: Sequence[Said]
    more: int
    facts: Sequence[Told]
    files: int
    proof: str
    opening_line: str
    warnings: Sequence[str] = field(default_factory=tuple)
    use_draft: Draft | None = None
    was_seen: bool = False


def card_for(case: Case, agent: Agent) -> Card | None:
    """What this agent is shown above the composer, or None. A calm card opens as a strip."""
    alert = Alert.objects.open().filter(case=case).select_related("switch__entry__identity").first()
    if alert is None or alert.loudness == Loudness.QUIET:
        return None
    switch = alert.switch
    open_entries = list(case.open_entries().filter(kind=EntryKind.MESSAGE).order_by("pk"))
    said = _said(case, open_entries)
    draft = Draft.objects.filter(case=case, agent=agent).exclude(channel__in=[switch.to_channel, "note"])
    use_draft = draft.exclude(text="").order_by("-saved_at").first()
    answered_at = _answered_lately(case, switch)
    story = _story(case, alert, open_entries, use_draft, answered_at)
    return Card(
        alert=alert,
        switch=switch,
        channel=switch.to_channel,
        from_channel=switch.from_channel,
        level=alert.loudness,
        sentence=switching.sentence(story),
        picture=[(channel, channel in case.open_channels) for channel in alert.channels],
        said=said[:MOST_SAID],
        more=max(len(said) - MOST_SAID, 0),
        facts=told(case),
        files=Attachment.objects.filter(entry__case__in=case.family(), entry__kind=EntryKind.MESSAGE).count(),
        proof=_proof(switch.entry),
        opening_line=switching.opening_line(
            story, answered_at=f"{localtime(answered_at):%H:%M}" if answered_at else "", agent=agent.name.split()[0]
        ),
        warnings=_warnings(case, switch),
        use_draft=use_draft,
        was_seen=alert.was_seen_by(agent),
    )


def _story(
    case: Case, alert: Alert, open_entries: Sequence[Entry], draft: Draft | None, answered_at: datetime | None
) -> Story:
    switch = alert.switch
    elsewhere = [entry for entry in open_entries if entry.channel != switch.to_channel]
    return Story(
        name=case.customer.first_name,
        channel=switch.to_channel,
        from_channel=switch.from_channel,
        open=[(entry.channel, f"{localtime(entry.time):%H:%M}") for entry in elsewhere],
        answered_minutes=int((now() - answered_at).total_seconds() // 60) if answered_at else None,
        has_draft=draft is not None,
        channels=alert.channels,
        minutes=_minutes_of_episode(case, alert),
        gap=switch.gap,
        followed=switch.reason == "followed us there",
    )


def _minutes_of_episode(case: Case, alert: Alert) -> int:
    first = case.switches.filter(at__gte=alert.created_at - timedelta(minutes=1)).order_by("pk").first()
    began = first.previous_entry.created_at if first else alert.created_at
    return max(int((alert.switch.at - began).total_seconds() // 60), 0)


def _said(case: Case, open_entries: Sequence[Entry]) -> list[Said]:
    """What is open comes first, oldest first; a channel without anything open shows the last words said there."""
    newest_elsewhere = [
        entry
        for channel in case.channels
        if channel not in {each.channel for each in open_entries}
        and (entry := case.timeline().filter(kind=EntryKind.MESSAGE, channel=channel).order_by("-pk").first())
    ]
    entries = [*open_entries, *sorted(newest_elsewhere, key=lambda each: -each.pk)]
    return [Said(each, each.channel, each.time, each.preview, each.is_open) for each in entries]


def told(case: Case) -> list[Told]:
    facts = Fact.objects.filter(case__in=case.family()).order_by("pk")[:12]
    return [Told(fact.shown, fact.entry_id, f"#{fact.value}" if fact.kind == "order" else fact.value) for fact in facts]


def _answered_lately(case: Case, switch: Switch) -> datetime | None:
    replies = case.timeline().that_left().filter(channel=switch.from_channel, pk__lt=switch.entry_id)
    reply = replies.order_by("-pk").first()
    if reply is None or switch.at - reply.created_at > ANSWERED_LATELY:
        return None
    return reply.created_at


def _proof(entry: Entry) -> str:
    """Why we think it is the same person, in words."""
    identity = entry.identity
    if identity is None:
        return ""
    link = identity.links.filter(revoked_at=None).select_related("made_by").first()
    if link is None:
        return ""
    who = link.made_by.short_name if link.made_by else ""
    day = f"{localtime(link.made_at):%d %b}"
    match link.reason:
        case "joined":
            return f"Linked by {who or 'an agent'} on {day}. Not proven, so keep order details out."
        case "imported":
            return f"Same person: {identity.shown} is on record. {link.words}".strip()
        case "vouched":
            return f"Same person: WhatsApp knows them by {identity.shown}."
        case "added":
            return f"Same person: {identity.shown} was added by {who or 'an agent'} on {day}."
    return f"Same person: has written from {identity.shown} before."


def _warnings(case: Case, switch: Switch) -> list[str]:
    warnings = []
    copied = list(
        Participant.objects.filter(case__in=case.family(), role=ParticipantRole.COPIED).select_related("identity")[:3]
    )
    if copied and switch.to_channel != "email":
        names = " and ".join(each.shown_name for each in copied)
        verb = "is" if len(copied) == 1 else "are"
        message = switching.THE_MESSAGE[switch.to_channel]
        word = f"{'an' if message[0] in 'AEIOUaeiou' else 'a'} {message}"
        warnings.append(f"{names} {verb} copied on the email. They won't see {word}.")
    shared = case.timeline().filter(event="shared", data__team__in=case.team_ids).order_by("-pk").first()
    if shared:
        warnings.append(f"{shared.text}.")
    return warnings
