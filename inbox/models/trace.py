"""By what a person can be known again: what they told, how they sign, what they sent. One row each, found by its value.

A trace belongs to the address it came from, so it goes wherever that address goes.
"""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now

from customers.models import Identity
from inbox.models.entry import Entry


class TraceKind(models.TextChoices):
    EMAIL = "email", "An email address in a text"
    PHONE = "phone", "A number in a text"
    HANDLE = "handle", "A handle, the first part of an address, a name written as one word"
    MAILBOX = "mailbox", "The mailbox behind an address: without dots and +tags"
    ORDER = "order", "An order number"
    FILE = "file", "A file, by its sha256"
    WORDS = "words", "A long text, by its sha256"
    NAME = "name", "A full name"
    SOUND = "sound", "A full name, roughly"
    SELF = "self", "A first name somebody gives as theirs"
    ELSEWHERE = "elsewhere", "Says that they wrote on another channel"


class Trace(models.Model):
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="traces")
    kind = models.CharField(max_length=9, choices=TraceKind)
    value = models.CharField(max_length=320)
    manner = models.CharField(max_length=9, blank=True)  # of an address: "own", "signed", "others", or just there
    entry = models.ForeignKey(Entry, models.CASCADE, null=True, blank=True, related_name="traces")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "kind", "value"], name="trace_once")]
        indexes = [
            models.Index(fields=["kind", "value", "identity"], name="trace_by_value"),
            models.Index(fields=["identity", "-id"], name="trace_latest"),
        ]


class Considered(models.Model):
    """A message that was looked at. Kept for some minutes, so that the sweeper finds those that were not."""

    entry = models.OneToOneField(Entry, models.CASCADE, primary_key=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["at"], name="considered_lately")]


class Upto(models.Model):
    """How far through the identities the sweeper has read their names: those on record never write to be looked at."""

    name = models.CharField(max_length=20, primary_key=True)
    number = models.BigIntegerField(default=0)
