"""Into our tables, what is given at once all or none. An import never makes two people one, and takes no address from
anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from customers.identities import EMAIL, PHONE, UNPROVEN, WHATSAPP
from customers.models import Attribute, Customer, Event, ExternalId, Identity, IdentityLink, Order, Tombstone
from customers.models.link import LinkReason
from customers.models.tombstone import external
from inbox.importing.records import ToldAddress, ToldCustomer, ToldEvent, ToldOrder
from inbox.locking import ATTEMPTS, Moved, lock
from inbox.models import Agent, Trace, TraceKind

Key = tuple[str, str, str]
TRACED = {EMAIL: TraceKind.EMAIL, PHONE: TraceKind.PHONE, WHATSAPP: TraceKind.PHONE}
AT_ONCE = 2_000
KEPT = ["has_written", "name", "language", "time_zone", "prefers"]  # of a customer


class Told(Protocol):
    @property
    def external_id(self) -> str: ...


T = TypeVar("T")
About = TypeVar("About", bound=Told)


class Unknown(Exception):
    """Nobody has this id in that system. `places` are those in what was given, from 0."""

    def __init__(self, external_id: str, places: Sequence[int]) -> None:
        super().__init__(f"Nobody is called {external_id} there. Tell of the customer first.")
        self.places = places


@dataclass(slots=True)
class Taken:
    """How many were new and how many known; and, in words, what was left: an address with its owner, who was erased."""

    made: int = 0
    known: int = 0
    left: list[str] = field(default_factory=list)
    customers: list[int] = field(default_factory=list)  # ids, in the order they were told
    doubtful: list[int] = field(default_factory=list)  # ids of those whose address is somebody else's here


def take_customers(told: Sequence[ToldCustomer], *, source: str, by: Agent | None = None) -> Taken:
    """A customer whom the source told of before is known by the id; else by an address that is surely theirs."""
    return _tried(lambda: _Customers(told, source, by).take())


def take_orders(everything: Sequence[ToldOrder], *, source: str) -> Taken:
    """Raises Unknown."""

    def take() -> Taken:
        owners, told, left = _owners(source, everything)
        known = Order.objects.filter(source=source, number__in=[each.number for each in told]).count()
        rows = [
            Order(
                customer_id=owners[each.external_id],
                source=source,
                number=each.number,
                title=each.title,
                status=each.status,
                amount=each.amount,
                currency=each.currency,
                placed_at=each.placed_at,
            )
            for each in told
        ]
        Order.objects.bulk_create(
            rows,
            batch_size=AT_ONCE,
            update_conflicts=True,
            unique_fields=["source", "number"],
            update_fields=["customer", "title", "status", "amount", "currency", "placed_at", "told_at"],
        )
        return Taken(made=len(told) - known, known=known, left=left)

    return _tried(take)


def take_events(everything: Sequence[ToldEvent], *, source: str) -> Taken:
    """An event that was told before, by its reference or word for word, is left as it is. Raises Unknown."""

    def take() -> Taken:
        owners, told, left = _owners(source, everything)
        references = [each.known_by for each in told if each.known_by]
        known = Event.objects.filter(source=source, reference__in=references).count()
        rows = [
            Event(
                customer_id=owners[each.external_id],
                source=source,
                reference=each.known_by,
                name=each.name,
                detail=each.detail,
                at=each.at or now(),
            )
            for each in told
        ]
        Event.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
        return Taken(made=len(told) - known, known=known, left=left)

    return _tried(take)


def _tried(take: Callable[[], T]) -> T:
    """Again when somebody else has just met or joined one of these people."""
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return take()
        except (IntegrityError, Moved):
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _owners(source: str, told: Sequence[About]) -> tuple[dict[str, int], Sequence[About], list[str]]:
    """Whom each external id means; what is to be taken; and of whom nothing is."""
    rows = ExternalId.objects.filter(source=source, value__in={each.external_id for each in told})
    found = dict(rows.values_list("value", "customer"))
    kept, left = _without_erased(source, told, found)
    missing = {each.external_id for each in kept} - found.keys()
    places = [place for place, each in enumerate(told) if each.external_id in missing]
    if places:
        raise Unknown(told[places[0]].external_id, places)
    return found, kept, left


def unknown_in(source: str, told: Sequence[Told]) -> Sequence[int]:
    """The places, from 0, of those that are told of nobody: to be said before anything is taken."""
    try:
        _owners(source, told)
    except Unknown as error:
        return error.places
    return []


def _without_erased(source: str, told: Sequence[About], known: Container[str]) -> tuple[list[About], list[str]]:
    """Nobody who was erased comes back by being told of again. To be asked after `known` was read."""
    unknown = {external(source, each.external_id): each.external_id for each in told if each.external_id not in known}
    erased = {unknown[key] for key in Tombstone.objects.among(unknown)}
    words = [f"{each} was erased here, and nothing of them was taken." for each in sorted(erased)]
    return [each for each in told if each.external_id not in erased], words


class _Customers:
    def __init__(self, told: Sequence[ToldCustomer], source: str, by: Agent | None) -> None:
        self.told, self.source, self.by = told, source, by
        self.taken = Taken()
        self.own: dict[str, Customer] = {}  # by external id: the row that the source told of, joined since or not
        self.identities: dict[Key, Identity] = {}
        self.links: dict[int, IdentityLink] = {}  # the active one, by identity
        self.named = set[int]()  # ids of those with one of these addresses who have an id in this system

    def take(self) -> Taken:
        known = self._known()
        self.told, self.taken.left = _without_erased(self.source, self.told, known)
        self.identities = self._read_identities()
        met = set[int]()
        for each in self.told:
            owner = known.get(each.external_id) or self._by_a_sure_address(each, met) or Customer()
            self.own[each.external_id] = owner
            met.add(owner.pk)
        self._lock()
        self._save_customers(known)
        self._add_addresses()
        self._set_attributes()
        self.taken.customers = [self.own[each.external_id].current().pk for each in self.told]
        return self.taken

    def _known(self) -> dict[str, Customer]:
        rows = ExternalId.objects.filter(source=self.source, value__in=[each.external_id for each in self.told])
        return {row.value: row.customer for row in rows.select_related("customer")}

    def _read_identities(self) -> dict[Key, Identity]:
        values = {address.value for each in self.told for address in each.addresses}
        rows = list(Identity.objects.filter(value__in=values).select_related("customer"))
        links = IdentityLink.objects.active().filter(identity__in=rows).select_related("identity__customer")
        self.links = {link.identity_id: link for link in links}
        owners = {row.customer_id for row in rows}
        named = ExternalId.objects.filter(source=self.source, customer__in=owners)
        self.named = set(named.values_list("customer", flat=True))
        return {(row.kind, row.scope, row.value): row for row in rows}

    def _by_a_sure_address(self, told: ToldCustomer, met: set[int]) -> Customer | None:
        """Exactly one person, who has no other id in this system. `met`: those who are spoken of already."""
        known = [self.identities[address.key].pk for address in told.addresses if address.key in self.identities]
        links = [self.links[pk] for pk in known if pk in self.links]
        sure = {link.identity.customer for link in links if link.assurance.is_sure}
        if len(sure) != 1:
            return None
        (owner,) = sure
        return None if owner.pk in met or owner.pk in self.named or owner.is_a_line else owner

    def _lock(self) -> None:
        """Everybody who may get an address, once and in order; then nobody's address can change hands."""
        people = {customer.current().pk for customer in self.own.values() if customer.pk}
        if people:
            lock(*people)
            owners = {key: row.customer_id for key, row in self.identities.items()}
            self.identities = self._read_identities()
            if owners != {key: row.customer_id for key, row in self.identities.items()}:
                raise Moved
        fresh = Customer.objects.in_bulk([customer.pk for customer in self.own.values() if customer.pk])
        if any(customer.erased_at for customer in fresh.values()):
            raise Moved
        self.own = {name: fresh.get(customer.pk, customer) for name, customer in self.own.items()}

    def _save_customers(self, known: dict[str, Customer]) -> None:
        new, old, changed = list[Customer](), list[Customer](), list[Customer]()
        for each in self.told:
            customer = self.own[each.external_id]
            (old if customer.pk else new).append(customer)
            before = [getattr(customer, name) for name in KEPT]
            customer.has_written = True  # on record: listed among customers
            customer.name = each.name if each.name and not customer.named_by_agent else customer.name
            customer.language = each.language or customer.language
            customer.time_zone = each.time_zone or customer.time_zone
            customer.prefers = each.prefers or customer.prefers
            if customer.pk and before != [getattr(customer, name) for name in KEPT]:
                changed.append(customer)
        Customer.objects.bulk_create(new, batch_size=AT_ONCE)
        Customer.objects.bulk_update(changed, KEPT, batch_size=AT_ONCE)
        met = [each.external_id for each in self.told if each.external_id not in known]
        ids = [ExternalId(customer=self.own[each], source=self.source, value=each) for each in met]
        ExternalId.objects.bulk_create(ids, batch_size=AT_ONCE)
        self.taken.made, self.taken.known = len(new), len(old)

    def _add_addresses(self) -> None:
        identities: list[Identity] = []
        better: list[IdentityLink] = []
        claimed: list[tuple[Customer, ToldAddress]] = []
        erased = Tombstone.objects.among(key for each in self.told for key in each.keys if key not in self.identities)
        for each in self.told:
            owner = self.own[each.external_id].current()
            for address in each.addresses:
                known = self.identities.get(address.key)
                if address.key in erased:
                    self.taken.left.append(f"An address of {each.external_id} was erased here, and was not taken.")
                elif known is None:
                    identities.append(self._identity(address, owner))
                    better.append(self._link(identities[-1], owner, address))
                elif known.customer_id != owner.pk:
                    self.taken.left.append(_left(each, known))
                    claimed += [(owner, address)] if not known.is_shared else []
                elif address.is_proven:
                    better += self._proof(known, owner, address)
        Identity.objects.bulk_create(identities, batch_size=AT_ONCE)
        IdentityLink.objects.bulk_create(better, batch_size=AT_ONCE)
        self._trace(claimed)
        self._trace_handles()

    def _trace(self, claimed: Sequence[tuple[Customer, ToldAddress]]) -> None:
        """Two records with one address may be one person's: agents are asked, as if they had told it themselves."""
        first = _first_addresses({owner.pk for owner, _ in claimed})
        told = [(first[owner.pk], address) for owner, address in claimed if owner.pk in first]
        rows = [
            Trace(identity=own, kind=TRACED[address.kind], value=address.value, manner="own")
            for own, address in told
            if address.kind in TRACED
        ]
        Trace.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
        self.taken.doubtful += [row.identity.customer_id for row in rows]

    def _trace_handles(self) -> None:
        """Whoever writes under such a handle may be them: agents are asked. It hangs on an address of theirs."""
        told = {self.own[each.external_id].current().pk: each.handles for each in self.told if each.handles}
        first = _first_addresses(told)
        rows = [
            Trace(identity=first[owner], kind=TraceKind.HANDLE, value=value, manner="own")
            for owner, handles in told.items()
            for handle in handles
            if owner in first and (value := handle.replace(".", "").replace("_", ""))
        ]
        if rows:
            self._weigh_those_whose_handle_is_known(rows)
            Trace.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)

    def _weigh_those_whose_handle_is_known(self, rows: Sequence[Trace]) -> None:
        known = Trace.objects.filter(kind=TraceKind.HANDLE, value__in={row.value for row in rows})
        having = defaultdict[str, set[int]](set)
        for value, identity in known.values_list("value", "identity")[:AT_ONCE]:
            having[value].add(identity)
        new = [row for row in rows if having[row.value] and row.identity_id not in having[row.value]]
        self.taken.doubtful += [row.identity.customer_id for row in new]

    def _identity(self, address: ToldAddress, owner: Customer) -> Identity:
        return Identity(kind=address.kind, scope=address.scope, value=address.value, customer=owner, origin=self.source)

    def _link(self, identity: Identity, owner: Customer, address: ToldAddress) -> IdentityLink:
        return IdentityLink(
            identity=identity,
            customer=owner,
            reason=LinkReason.SIGNED if address.is_proven else LinkReason.IMPORTED,
            words=f"From {self.source}.",
            made_by=self.by,
        )

    def _proof(self, identity: Identity, owner: Customer, address: ToldAddress) -> Iterable[IdentityLink]:
        """A better reason for the same, unless there is one: links are revoked, never rewritten."""
        link = self.links.get(identity.pk)
        if identity.is_shared or (link and link.assurance == "proven"):
            return []
        if link:
            IdentityLink.objects.filter(pk=link.pk).update(revoked_at=now(), revoked_by=self.by)
        return [self._link(identity, owner, address)]

    def _set_attributes(self) -> None:
        rows = [
            Attribute(customer=self.own[each.external_id], name=name, value=value, source=self.source, made_by=self.by)
            for each in self.told
            for name, value in each.attributes.items()
        ]
        Attribute.objects.bulk_create(
            rows,
            batch_size=AT_ONCE,
            update_conflicts=True,
            unique_fields=["customer", "name"],
            update_fields=["value", "source", "made_by", "at"],
        )


def _first_addresses(customers: Collection[int]) -> dict[int, Identity]:
    """By customer; none that was erased or is forged, where nothing is looked for."""
    addresses = Identity.objects.filter(customer__in=customers, erased_at=None).exclude(scope=UNPROVEN)
    return {each.customer_id: each for each in addresses.order_by("-pk")} if customers else {}


def _left(told: ToldCustomer, known: Identity) -> str:
    whose = "a shared line" if known.is_shared else f"{known.customer.shown_name} (customer {known.customer_id})"
    return f"{known.value} of {told.external_id} was left with {whose}."
