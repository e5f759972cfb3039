from customers.models.consent import Consent
from customers.models.customer import Customer, CustomerKind
from customers.models.identity import EarlierHandle, Identity
from customers.models.link import IdentityLink
from customers.models.profile import Attribute, ExternalId, PinnedNote, Relationship
from customers.models.purchase import Event, Order
from customers.models.source import Source
from customers.models.tombstone import Tombstone

__all__ = [
    "Attribute",
    "Consent",
    "Customer",
    "CustomerKind",
    "EarlierHandle",
    "Event",
    "ExternalId",
    "Identity",
    "IdentityLink",
    "Order",
    "PinnedNote",
    "Relationship",
    "Source",
    "Tombstone",
]
