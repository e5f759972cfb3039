from customers.models.consent import Consent
from customers.models.customer import Customer
from customers.models.identity import Identity
from customers.models.link import IdentityLink
from customers.models.tombstone import Tombstone

__all__ = ["Consent", "Customer", "Identity", "IdentityLink", "Tombstone"]
