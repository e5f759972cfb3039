"""Pictures of an MMS. Twilio hands them out to the account's own credentials and redirects to a CDN (twilio.md §8)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings

from connectors.adapters import media
from connectors.adapters.twilio import listing
from connectors.errors import FetchFailed
from connectors.messages import Account, Attachment

API_HOST = "api.twilio.com"
# Where the API redirects to. Credentials go to the API alone.
CDN_HOSTS = ("*.twilio.com", "*.twiliocdn.com", "*.amazonaws.com")


def fetch(account: Account, attachment: Attachment) -> Attachment:
    """The attachment with its content. A forged or foreign address never sees the account's credentials."""
    configured = media.host_of(settings.TWILIO_API_URL)
    host = media.host_of(attachment.url)
    account_sid = account.secrets.get("account_sid", "")
    if host not in {API_HOST, configured}:
        raise FetchFailed(f"The file was not fetched: {host or 'its address'} is not Twilio.", permanent=True)
    if not account_sid or account_sid not in urlsplit(attachment.url).path.split("/"):
        raise FetchFailed("The file was not fetched: it belongs to another Twilio account.", permanent=True)
    url = listing.named(account, attachment.url)
    try:
        file = media.fetch(
            url,
            hosts=(API_HOST, configured, *CDN_HOSTS),
            credentials=(account_sid, account.secrets.get("auth_token", "")),
            declared_type=attachment.content_type,
        )
    except media.FileGone as error:
        # Right after the message a file may not be there yet.
        raise FetchFailed("Twilio does not have the file, or not yet.", permanent=False) from error
    return replace(attachment, name=attachment.name or file.name, content_type=file.content_type, content=file.content)
