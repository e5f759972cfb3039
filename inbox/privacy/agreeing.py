"""What people agreed to, as an agent notes it. STOP and START are noted by themselves, where messages come in."""

from __future__ import annotations

from django.db import transaction

from customers.models import Consent, Identity
from inbox.models import Act, Agent, Audit


def note_consent(identity: Identity, purpose: str, state: str, said: str, *, by: Agent) -> Consent:
    """To all senders of ours, from now on. `said`: in what words, and where."""
    with transaction.atomic():
        noted = Consent.objects.create(
            identity=identity, sender="", purpose=purpose, state=state, words=said, noted_by=by
        )
        why = f"{noted.get_purpose_display()}: {noted.get_state_display()}"
        Audit.objects.note(Act.CONSENT, by=by, why=why, customer=identity.customer)
        return noted
