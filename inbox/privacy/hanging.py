"""What hangs on a person, an address or a message, read from the models themselves.

Whatever points there is deleted with it and exported with it, unless it is named here: a table that somebody adds
tomorrow is erased before anybody thinks of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.db import models

from customers.models import Consent, Customer, Identity, IdentityLink
from inbox.models import (
    Attachment,
    Case,
    Delivery,
    Entry,
    Invitation,
    Merge,
    Participant,
    PrivacyRequest,
    ProviderMessage,
    Switch,
)

# Rows that stay, without what they told: pointers, proofs, and by what a message is known when it is told again
KEPT: Mapping[type[models.Model], frozenset[type[models.Model]]] = {
    Customer: frozenset({Customer, Identity, IdentityLink, Case, Merge, PrivacyRequest}),
    Identity: frozenset({Entry, Delivery, IdentityLink, Consent, Invitation}),
    Entry: frozenset({Entry, Attachment, Delivery, ProviderMessage, Switch, Invitation, Participant}),
}


def hanging_on(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """(model, field) of everything that points to it."""
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            yield relation.related_model, relation.field.name


def delete_hanging(model: type[models.Model], ids: Sequence[int]) -> int:
    """How many rows went."""
    gone = 0
    for other, field in hanging_on(model):
        if other not in KEPT[model]:
            gone += other._default_manager.filter(**{f"{field}__in": ids}).delete()[0]
    return gone
