"""What people send to answer a campaign, "Y" or "WIN": filed, unless an agent may have asked for it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters.keywords import is_to_be_filed
from connectors.messages import Classification, InboundMessage
from customers.models import Customer
from inbox.models import Case, Entry, Status

ASKED_LATELY = timedelta(days=1)  # in a case that was resolved with the question


def answers_one(entry: Entry, item: InboundMessage, customer: Customer) -> bool:
    """Sets the class if so. The connection lists such words; whom an agent called a person is always heard."""
    assert entry.connector is not None
    assert entry.identity is not None
    listed = entry.connector.options.get("filed_words", "")
    if not listed or item.attachments or entry.identity.is_person or not is_to_be_filed(item.text, listed):
        return False
    if _may_be_asked_for(customer):
        return False
    words = " ".join(item.text.split())
    entry.classification = Classification.AUTOMATIC
    entry.reason = f"“{words}” is one of the words to file, which answer a campaign."[:300]
    return True


def _may_be_asked_for(customer: Customer) -> bool:
    """In any matter of theirs: one that is live, or was until lately."""
    is_answered = Q(first_reply_at__isnull=False)
    is_live = Q(is_live=True) & (is_answered | ~Q(status=Status.OPEN))
    was_lately = Q(resolved_at__gte=now() - ASKED_LATELY) & is_answered
    return Case.objects.unmerged().filter(is_live | was_lately, customer__in=customer.family()).exists()
