"""Who somebody is who wrote under a bare id: the provider is asked once they wrote, beside everything else.

A provider that does not tell (no consent, blocked, gone) is asked again when they write again, not before.
"""

from __future__ import annotations

from django.db import transaction

from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Profile
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import proposing
from inbox.locking import ATTEMPTS, Moved, lock_owner
from inbox.models import Case, Entry


def look_up_profiles() -> int:
    """All that are due; the sweeper's share."""
    due = Identity.objects.filter(profile_due_at__isnull=False).order_by("profile_due_at")
    return sum(look_up_profile(pk) for pk in list(due.values_list("pk", flat=True)[:20]))


def look_up_profile(identity_id: int) -> bool:
    """Whether somebody has a name now."""
    if not Identity.objects.filter(pk=identity_id, profile_due_at__isnull=False).update(profile_due_at=None):
        return False
    identity = Identity.objects.get(pk=identity_id)
    connector = Connector.objects.active().filter(addresses__contains=[identity.scope]).first()
    if connector is None:
        return False
    found = ADAPTERS[Channel(connector.kind)].profile(connector.account(), identity.value)
    if found is None:
        return False
    _tell(identity, found)
    return True


def _tell(identity: Identity, found: Profile) -> None:
    """What we knew them by before is replaced wherever it stood for a name."""
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _name(identity, lock_owner(identity), found)
        except Moved:
            if attempt == ATTEMPTS - 1:
                raise
            identity.refresh_from_db()
    return None


def _name(identity: Identity, customer: Customer, found: Profile) -> None:
    before = identity.shown
    identity.is_called(found.handle[:100])
    identity.save(update_fields=["handle"])
    customer.heard_from(found.name)
    Entry.objects.filter(identity=identity, author=before, erased_at=None).update(
        author=(customer.name or identity.shown)[:200]
    )
    if case := Case.objects.live_of(customer):
        case.changed()
    if said := Entry.objects.filter(identity=identity).order_by("-pk").first():
        proposing.look_soon(said)
