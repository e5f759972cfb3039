"""Files of Instagram messages: signed links on Meta's CDN that stop working after a while (instagram.md §12)."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from connectors.adapters import media
from connectors.errors import FetchFailed
from connectors.messages import Attachment

CDN_HOSTS = ("*.fbsbx.com", "*.fbcdn.net", "*.cdninstagram.com")


def hosts() -> tuple[str, ...]:
    """Where files may be fetched; with private hosts allowed, also from the configured Graph API's own host."""
    if settings.ALLOW_PRIVATE_HOSTS:
        return (*CDN_HOSTS, media.host_of(settings.GRAPH_API_URL))
    return CDN_HOSTS


def fetch(attachment: Attachment) -> Attachment:
    if not attachment.keep:
        raise FetchFailed("Instagram does not allow stories to be kept; only the link can be opened.", permanent=True)
    file = media.fetch(attachment.url, hosts=hosts(), declared_type=attachment.content_type)
    if file.content_type == "text/html":
        raise FetchFailed("The link leads to a page, not to a file.", permanent=True)
    return replace(attachment, name=attachment.name or file.name, content_type=file.content_type, content=file.content)
