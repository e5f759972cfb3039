"""Which case a mail says it belongs to. Only what cannot be guessed counts: our reply token, our own Message-ID, or the
Message-ID of a mail in that case. A number in a subject never does."""

from __future__ import annotations

from django.conf import settings

from connectors.adapters.email.message_id import is_ours
from connectors.messages import InboundMessage
from connectors.models import Connector
from inbox.models import Case, Entry


def find(connector: Connector, item: InboundMessage) -> Case | None:
    """The case as it is today (merges followed), or None. Expects nothing to be locked."""
    if item.email is None:
        return None
    for token in item.email.reply_tokens:
        case = Case.objects.filter(reply_token=token).select_related("customer").first()
        if case:
            return case.current()
    cited = [*item.email.in_reply_to, *reversed(item.email.references)][:40]
    if not any(cited):  # the first mail of a conversation; even a query for nothing has its price
        return None
    ours = [uuid for uuid in (is_ours(each, settings.SECRET_KEY.encode()) for each in cited) if uuid]
    if ours:
        entry = Entry.objects.filter(uuid__in=ours).select_related("case__customer").order_by("-pk").first()
        if entry and entry.case:
            return entry.case.current()
    known = Entry.objects.filter(
        message_id__in=[each for each in cited if each], connector=connector, case__isnull=False
    )
    entry = known.select_related("case__customer").order_by("-pk").first()
    return entry.case.current() if entry and entry.case else None
