"""Everybody who is not us: the customers of the configuration, and strangers met on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from email.utils import parseaddr
from typing import Any

from connectors.sandbox.config import Customer
from connectors.sandbox.store import Store


def bare(address: str) -> str:
    """A mail address as mailboxes are found by it: lower case, without name and without the part after a plus."""
    local, _, domain = (parseaddr(address)[1] or address).strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if local else ""


@dataclass(slots=True)
class Person:
    id: str
    name: str
    email: str = ""
    email_password: str = field(default="", repr=False)
    phone: str = ""
    instagram_id: str = ""
    instagram_handle: str = ""
    note: str = ""
    stranger: bool = False

    def shown(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "email_password"}


class People:
    def __init__(self, customers: tuple[Customer, ...], store: Store) -> None:
        self.store = store
        self.everybody = [
            Person(
                str(index),
                customer.name,
                customer.email,
                customer.email_password,
                customer.phone,
                customer.instagram_id,
                customer.instagram_handle,
                customer.note,
            )
            for index, customer in enumerate(customers)
        ]
        self.everybody += [Person(**value) for value in store.all("stranger")]
        self.addresses: dict[str, Person] = {}
        for person in self.everybody:
            self._index(person)

    def _index(self, person: Person) -> None:
        """By every address; whoever had it first keeps it."""
        for address in (bare(person.email), person.phone, person.instagram_id):
            if address:
                self.addresses.setdefault(address, person)

    def find(self, key: int | str) -> Person | None:
        """By index, id, name, address, number, Instagram id or handle."""
        if isinstance(key, int):
            key = str(key)
        wanted = key.strip().lower()
        if not wanted:
            return None
        for person in self.everybody:
            handle = person.instagram_handle.lower().lstrip("@")
            if wanted in (person.id, person.name.lower()) or (handle and wanted.lstrip("@") == handle):
                return person
        return self.addresses.get(wanted) or self.by_email(key)

    def by_email(self, address: str) -> Person | None:
        return self.addresses.get(bare(address))

    def by_phone(self, number: str) -> Person | None:
        return self.addresses.get(number)

    def by_instagram(self, id: str) -> Person | None:
        return self.addresses.get(id)

    def meet(self, *, email: str = "", phone: str = "", instagram_id: str = "", name: str = "") -> Person:
        """The person with this address; somebody new if there is none yet."""
        known = self.by_email(email) or self.by_phone(phone) or self.by_instagram(instagram_id)
        if known is not None:
            return known
        shown = name or parseaddr(email)[0] or email.partition("@")[0] or phone or f"Instagram …{instagram_id[-4:]}"
        address = parseaddr(email)[1] or email
        number = f"s{sum(one.stranger for one in self.everybody) + 1}"
        person = Person(number, shown, address, phone=phone, instagram_id=instagram_id, stranger=True)
        self.everybody.append(person)
        self._index(person)
        self.store.put("stranger", person.id, asdict(person))
        return person
