"""Whose message it is: identity → customer. A new identity gets a customer of its own, or that of an address the
provider vouches for; nothing else is ever guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from config.database import rows
from connectors.adapters import ADAPTERS
from connectors.messages import Authenticity, Channel, Sender
from connectors.models import Connector
from customers.identities import UNPROVEN, NotAnAddress, normalise
from customers.models import Customer, Identity, IdentityLink
from customers.models.identity import TOLD_BY_THE_PROVIDER
from customers.models.link import LinkReason
from customers.models.tombstone import digest_of
from inbox.intake.outcomes import Forgotten, Unusable
from inbox.locking import lock_owner

# One row always. Of an address that was ever erased: when it was.
FIND = """SELECT {i.columns}, (SELECT erased_at FROM customers_tombstone WHERE digest = %s) AS forgotten_at
FROM (VALUES (1)) one LEFT JOIN customers_identity i ON i.kind = %s AND i.scope = %s AND i.value = %s"""

# A customer, the first address and why it is theirs. In one statement: half of all mail is from somebody new. What they
# write begins a case; as its id is known, the case is stored once, with its first entry, and nobody waits for either.
ARRIVES = """
WITH person AS (
    INSERT INTO customers_customer (name, named_by_agent, has_written, created_at)
    VALUES (%(name)s, false, %(writes)s, %(at)s) RETURNING id),
address AS (
    INSERT INTO customers_identity (kind, scope, value, spelled, handle, origin, customer_id, first_seen_at, is_person)
    SELECT %(kind)s, %(scope)s, %(value)s, %(spelled)s, %(handle)s, %(origin)s, id, %(at)s, false FROM person
    RETURNING id, customer_id)
INSERT INTO customers_identitylink (identity_id, customer_id, reason, words, made_at)
SELECT id, customer_id, %(reason)s, '', %(at)s FROM address
RETURNING identity_id, customer_id,
    CASE WHEN %(writes)s THEN nextval('inbox_case_id_seq') END,
    CASE WHEN %(writes)s THEN nextval('inbox_entry_id_seq') END
"""


def find(
    connector: Connector,
    sender: Sender,
    authenticity: Authenticity = Authenticity.UNKNOWN,
    said_at: datetime | None = None,
    *,
    writes: bool = False,
) -> Identity:
    """The sender's identity, made with a customer of its own when new, who `writes` or is only named so far. Nothing is
    locked yet.

    Raises Unusable; and Forgotten, when the address was erased after `said_at`.
    """
    kind, scope, value = _key(connector, sender, authenticity)
    identity, forgotten_at = _looked_up(kind, scope, value)
    if forgotten_at and said_at and said_at < forgotten_at:
        raise Forgotten
    if identity is None:
        with transaction.atomic(savepoint=False):  # a lost race rolls the whole item back, and it is tried again
            identity = _vouched_for(kind, scope, value, sender) or _new(kind, scope, value, sender, writes)
    for _, other in _others(sender, kind):
        if _known(kind, scope, other) is None:
            with transaction.atomic(savepoint=False):
                _add(kind, scope, other, sender, lock_owner(identity))
    return identity


def is_known(connector: Connector, person: Sender) -> bool:
    return _known(*_key(connector, person)) is not None


def _key(
    connector: Connector, sender: Sender, authenticity: Authenticity = Authenticity.UNKNOWN
) -> tuple[str, str, str]:
    kind = ADAPTERS[Channel(connector.kind)].identity_kind
    try:
        value = normalise(kind, sender.address)
    except NotAnAddress as error:
        raise Unusable(f"The sender's address is unusable: {error}.") from error
    return kind, UNPROVEN if authenticity == Authenticity.FAIL else sender.scope, value


def _known(kind: str, scope: str, value: str) -> Identity | None:
    return _looked_up(kind, scope, value)[0]


def _looked_up(kind: str, scope: str, value: str) -> tuple[Identity | None, datetime | None]:
    """Whoever writes anew after they were erased is somebody new; what they wrote before does not come back."""
    (row,) = rows.fetch(Identity, FIND, [digest_of(kind, scope, value), kind, scope, value])
    return row if row.pk else None, row.forgotten_at  # type: ignore[attr-defined]


def find_all(connector: Connector, senders: Sequence[Sender], said_at: datetime | None = None) -> list[Identity]:
    """Copied-in people, in the order of their addresses: two mails that name the same strangers cannot deadlock.

    Without those who asked to be forgotten since it was said.
    """
    found = []
    for sender in sorted(senders, key=lambda each: each.address.lower()):
        with suppress(Unusable, Forgotten):
            found.append(find(connector, sender, said_at=said_at))
    return found


def _vouched_for(kind: str, scope: str, value: str, sender: Sender) -> Identity | None:
    """Somebody whom we know by another address of theirs."""
    known = next((found for each, other in _others(sender) if (found := _known(each, "", other))), None)
    if known and known.is_shared:
        return None  # whoever shares a line is not the line
    return _add(kind, scope, value, sender, lock_owner(known)) if known else None


def _others(sender: Sender, only: str = "") -> list[tuple[str, str]]:
    found = []
    for kind, address in sender.also:
        if not only or kind == only:
            with suppress(NotAnAddress):
                found.append((kind, normalise(kind, address)))
    return found


def _add(kind: str, scope: str, value: str, sender: Sender, customer: Customer) -> Identity:
    identity = Identity.objects.create(
        kind=kind, scope=scope, value=value, handle=sender.handle[:100], customer=customer, origin=TOLD_BY_THE_PROVIDER
    )
    IdentityLink.objects.create(identity=identity, customer=customer, reason=LinkReason.VOUCHED)
    return identity


def _new(kind: str, scope: str, value: str, sender: Sender, writes: bool) -> Identity:
    """A second worker that does the same fails on the unique identity, is rolled back, and finds ours."""
    name, at = sender.name[:200], now()
    address = {
        "kind": kind,
        "scope": scope,
        "value": value,
        "spelled": _spelled(sender.address, value),
        "handle": sender.handle[:100],
        "origin": "wrote to us",
    }
    asked = rows.ask(ARRIVES, address | {"name": name, "writes": writes, "at": at, "reason": LinkReason.FIRST_SEEN})
    ((pk, owner, *begins),) = asked.rows()
    customer = Customer(pk=owner, name=name, has_written=writes, created_at=at)
    identity = Identity(pk=pk, customer=customer, first_seen_at=at, **address)
    identity.is_new, identity._state.adding, identity.customer._state.adding = True, False, False
    identity.begins = (begins[0], begins[1]) if writes else None
    return identity


def _spelled(address: str, value: str) -> str:
    """A network may know only its own form of a number."""
    return address[:64] if address.startswith("+") and address != value else ""
