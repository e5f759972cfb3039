"""Signed links to files: 60 seconds for an agent's browser, hours for a provider that fetches what we send."""

from __future__ import annotations

from django.core import signing

from inbox.models.attachment import Attachment
from inbox.models.delivery import Delivery

FILE_SECONDS = 60
MEDIA_SECONDS = 6 * 60 * 60


def file_link(attachment: Attachment) -> str:
    """For somebody who was just found entitled; the path carries no cookie and no name."""
    return f"/files/{signing.dumps(str(attachment.uuid), salt='file')}/"


def file_of(token: str) -> Attachment | None:
    return _attachment(token, "file", FILE_SECONDS)


def media_link(attachment: Attachment, delivery: Delivery) -> str:
    """For the provider, tied to one queued delivery."""
    return f"/media/{signing.dumps([str(attachment.uuid), str(delivery.uuid)], salt='media')}/"


def media_of(token: str) -> Attachment | None:
    try:
        attachment, delivery = signing.loads(token, salt="media", max_age=MEDIA_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return Attachment.objects.filter(uuid=attachment, entry__deliveries__uuid=delivery).first()


def _attachment(token: str, salt: str, seconds: int) -> Attachment | None:
    try:
        return Attachment.objects.filter(uuid=signing.loads(token, salt=salt, max_age=seconds)).first()
    except signing.BadSignature:
        return None
