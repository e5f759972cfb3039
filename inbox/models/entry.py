"""One thing on a timeline: what a customer wrote, what we wrote, a note, something that happened."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models.functions import Left
from django.utils.timezone import now

from connectors.messages import Authenticity, Classification
from connectors.models import Connector
from customers.models import Identity
from inbox.codes import veiled
from inbox.models.agent import Agent

READERS = ["bcc", "cc", "sent_to"]  # of a reply's data: who got it beside the customer's own address
SOMEBODY = "somebody"  # stands for a name or an address that was erased


class EntryKind(models.TextChoices):
    MESSAGE = "message", "Message"  # the customer's own words
    PARTICIPANT = "participant", "Copied in"  # somebody else on the thread
    REPLY = "reply", "Reply"
    NOTE = "note", "Note"
    EVENT = "event", "Event"
    FILED = "filed", "Filed"  # automatic, bulk, spam, bounce: never waits


class TeamsOfCase(models.Func):
    """The teams that see a case, by its id. One that was merged is seen by those who see what it went into."""

    template = """(WITH RECURSIVE above(merged_into_id, team_ids) AS (
        SELECT merged_into_id, team_ids FROM inbox_case WHERE id = %(expressions)s UNION ALL
        SELECT c.merged_into_id, c.team_ids FROM inbox_case c JOIN above ON c.id = above.merged_into_id)
        SELECT team_ids FROM above WHERE merged_into_id IS NULL)"""
    output_field = ArrayField(models.BigIntegerField())


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, agent: Agent) -> EntryQuerySet:
        """Entries of visible cases; filed mail without a case through its connector's team."""
        known = models.Q(case=None) | models.Q(case__named_ids=None)
        if agent.is_named:
            known |= models.Q(case__named_ids__contains=[agent.pk])
        if agent.is_supervisor:
            return self.filter(known)
        teams = agent.team_ids
        in_a_case = models.Q(seen_by__overlap=teams) | models.Q(case__named_ids__contains=[agent.pk])
        return self.alias(seen_by=TeamsOfCase("case_id")).filter(
            known, in_a_case | models.Q(case=None, connector__team__in=teams)
        )

    def filed(self) -> EntryQuerySet:
        return self.filter(kind=EntryKind.FILED)

    def that_left(self) -> EntryQuerySet:
        """Replies of people that went out, or may have: not those taken back, still held, or not delivered."""
        on_its_way = models.Q(deliveries__state__in=["sending", "sent", "delivered", "read", "unknown"])
        ours = self.filter(kind=EntryKind.REPLY, unsent_at=None, classification=Classification.PERSON)
        return ours.filter(models.Q(sent_outside=True) | on_its_way).distinct()

    def for_timeline(self) -> EntryQuerySet:
        """Without the search column: 50 rows of words that nobody shows."""
        related = self.select_related("identity", "agent", "connector", "switch").defer("search")
        return related.prefetch_related("attachments", "deliveries")


class Entry(models.Model):
    """Order everywhere is `id`: taken under the customer's lock. Provider times are shown, never sorted by."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey("inbox.Case", models.PROTECT, null=True, blank=True, related_name="entries")
    kind = models.CharField(max_length=12, choices=EntryKind)
    channel = models.CharField(max_length=16, blank=True)
    connector = models.ForeignKey(Connector, models.PROTECT, null=True, blank=True, related_name="+")
    identity = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="entries")
    our_address = models.CharField(max_length=320, blank=True)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    author = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now)
    arrived_at = models.DateTimeField(null=True, blank=True)  # at our machine or in our mailbox, when that was earlier
    sent_at = models.DateTimeField(null=True, blank=True)  # by the provider's clock

    subject = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    quoted = models.TextField(blank=True)
    html = models.TextField(blank=True)  # sanitised at intake
    remark = models.CharField(max_length=200, blank=True)
    classification = models.CharField(max_length=12, default=Classification.PERSON)
    reason = models.CharField(max_length=300, blank=True)
    authenticity = models.CharField(max_length=8, default=Authenticity.UNKNOWN)
    message_id = models.CharField(max_length=998, blank=True)
    headers = models.JSONField(default=dict, blank=True)  # mail: to, cc, reply_to, references, in_reply_to
    sent_outside = models.BooleanField(default=False)
    answers = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")  # quoted message

    is_open = models.BooleanField(default=False)
    tied_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="tied")
    tied_at = models.DateTimeField(null=True, blank=True)
    tied_by_agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    also_sent = models.BooleanField(default=False)  # the same words on another channel within a minute
    edited_at = models.DateTimeField(null=True, blank=True)
    unsent_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(null=True, blank=True)  # looks different since: a reaction, a file
    erased_at = models.DateTimeField(null=True, blank=True)  # nothing of what was said is left
    reactions = models.JSONField(default=dict, blank=True)  # {identity id: emoji}
    event = models.CharField(max_length=40, blank=True)
    data = models.JSONField(default=dict, blank=True)

    search = models.GeneratedField(
        expression=SearchVector("author", "subject", Left("text", 200_000), config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["case", "-id"], name="entry_of_case"),
            models.Index(fields=["case", "id"], name="entry_open", condition=models.Q(is_open=True)),
            models.Index(fields=["message_id"], name="entry_by_message_id", condition=~models.Q(message_id="")),
            models.Index(fields=["identity", "-id"], name="entry_of_identity"),
            models.Index(fields=["-id"], name="entry_filed", condition=models.Q(kind="filed")),
            models.Index(fields=["created_at", "channel"], name="entry_volume", condition=models.Q(kind="message")),
            models.Index(fields=["tied_by"], name="entry_tied_by", condition=models.Q(tied_by__isnull=False)),
            models.Index(fields=["erased_at"], name="entry_erased", condition=models.Q(erased_at__isnull=False)),
            models.Index(fields=["case"], name="entry_readers", condition=models.Q(data__has_any_keys=READERS)),
            GinIndex("search", name="entry_search"),
        ]

    @classmethod
    def event_of(cls, name: str, words: str, *, by: Agent | None, **data: Any) -> Entry:
        return cls(kind=EntryKind.EVENT, event=name, text=words, agent=by, author=by.name if by else "", data=data)

    @property
    def written_text(self) -> str:
        """A reply as the agent typed it, without the introduction that a first text begins with."""
        return self.text[self.data.get("introduction", 0) :]

    @property
    def shown_text(self) -> str:
        """Without the codes that a text of ours tells."""
        return veiled(self.text) if self.is_ours else self.text

    @property
    def preview(self) -> str:
        """One line for lists and cards."""
        if self.erased_at:
            return "Erased"
        words = " ".join(self.shown_text.split())
        if words:
            return words[:200]
        return self.remark or ("Attachment" if self.pk and self.attachments.exists() else "(no text)")

    @property
    def reached_us_at(self) -> datetime:
        """Since when its author waits: a worker that was down does not stop the clock."""
        return self.arrived_at or self.created_at

    @property
    def is_ours(self) -> bool:
        return self.kind in (EntryKind.REPLY, EntryKind.NOTE)

    @property
    def is_from_customer(self) -> bool:
        return self.kind == EntryKind.MESSAGE

    @property
    def time(self) -> Any:
        return self.sent_at if self.sent_at and not self.is_ours else self.created_at
