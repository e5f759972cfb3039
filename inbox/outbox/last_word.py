"""An apology to somebody we wrote to by mistake, before nothing is sent to their address any more."""

from __future__ import annotations

from django.db import transaction
from django.utils.timezone import now

from customers.models import Identity
from inbox.locking import locked
from inbox.models import Agent, Case, Entry
from inbox.outbox.replies import notify

LINE = "Sorry, this reached you by mistake: we took you for somebody else. We will not write to you again."


def close(identity: Identity, *, by: Agent, words: str = "") -> Entry | None:
    """Refuses what would be sent there until they write. `words` are sent first; None when they could not be."""
    with transaction.atomic():
        said = _say(identity, words.strip(), by) if words.strip() else None
        Identity.objects.filter(pk=identity.pk).update(wrong_at=now())
    return said


def _say(identity: Identity, words: str, by: Agent) -> Entry | None:
    """In the case they have, which is a stranger's and ends with it."""
    customer = identity.customer
    last = Case.objects.unmerged().filter(customer=customer).order_by("-is_live", "-pk").first()
    if last is None:
        return None
    with locked(last) as case:
        said = notify(case, to=identity, text=words)
        if said:
            Entry.objects.filter(pk=said.pk).update(data={**said.data, "last_word": True}, agent=by, author=by.name)
    return said
