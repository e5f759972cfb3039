"""A file on an entry. Fetching may fail or be late; the message it came with never waits for it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from inbox.models.entry import Entry


class FileState(models.TextChoices):
    WAITING = "waiting", "Being fetched"
    STORED = "stored", "Stored"
    FAILED = "failed", "Could not be fetched"
    LINK = "link", "Only a link"  # policy forbids a copy


INLINE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Attachment(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    entry = models.ForeignKey(Entry, models.CASCADE, null=True, blank=True, related_name="attachments")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )  # an upload waits in a draft until its reply takes it
    draft = models.ForeignKey("inbox.Draft", models.CASCADE, null=True, blank=True, related_name="attachments")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120, default="application/octet-stream")
    content_id = models.CharField(max_length=998, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=100, blank=True)  # random; the name never touches the disk
    url = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=FileState, default=FileState.STORED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=now)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="attachment_due", condition=models.Q(state="waiting")),
            models.Index(fields=["key"], name="attachment_by_key", condition=~models.Q(key="")),
        ]

    @property
    def may_be_fetched_again(self) -> bool:
        return self.state == FileState.FAILED and bool(self.url or self.key)

    @property
    def is_image(self) -> bool:
        return self.content_type in INLINE_TYPES
