"""What people send to answer a campaign, "Y" or "WIN": filed, unless an agent may have asked for it."""

from __future__ import annotations

from connectors.adapters.keywords import is_to_be_filed
from connectors.messages import Classification, InboundMessage
from customers.models import Customer
from inbox.models import Case, Entry, Status


def answers_one(entry: Entry, item: InboundMessage, customer: Customer) -> bool:
    """Sets the class if so. The connection lists such words; whom an agent called a person is always heard."""
    assert entry.connector is not None
    assert entry.identity is not None
    listed = entry.connector.options.get("filed_words", "")
    if not listed or item.attachments or entry.identity.is_person or not is_to_be_filed(item.text, listed):
        return False
    case = Case.objects.live_of(customer)
    if case and (case.first_reply_at or case.status != Status.OPEN):
        return False
    words = " ".join(item.text.split())
    entry.classification = Classification.AUTOMATIC
    entry.reason = f"“{words}” is one of the words to file, which answer a campaign."[:300]
    return True
