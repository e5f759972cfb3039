"""Customers of whom no other story knows, so that stories may run in any order on one stack."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr
from typing import Any

from tests.stack import Stack, until


@dataclass(frozen=True, slots=True)
class Somebody:
    """On record with an e-mail address, a number and an Instagram account."""

    stack: Stack
    name: str
    email: str
    phone: str
    instagram: str

    def writes(self, channel: str, text: str, **more: Any) -> dict[str, Any]:
        """`more`: the fields of `POST /control/say`."""
        source = formataddr((self.name, self.email)) if channel == "email" else self._address(channel)
        return self.stack.say("", channel, text, **{"from": source, **more})

    def received(self, channel: str) -> list[dict[str, Any]]:
        return self.stack.received(self._address(channel), channel)

    def gets(self, channel: str, text: str) -> dict[str, Any]:
        return self.stack.gets(self._address(channel), channel, text)

    def _address(self, channel: str) -> str:
        return {"email": self.email, "sms": self.phone, "whatsapp": self.phone, "instagram": self.instagram}[channel]


def somebody(stack: Stack, name: str) -> Somebody:
    """A new customer, put on record as an import would."""
    account = next(each["address"] for each in stack.demo["connectors"] if each["kind"] == "instagram")
    ((customer,),) = stack.rows(
        "INSERT INTO customers_customer (name, named_by_agent, has_written, created_at) "
        "VALUES (%s, true, true, now()) RETURNING id",
        name,
    )
    found = Somebody(
        stack, name, f"guest{customer}@guests.test", f"+1202555{1000 + customer}", f"10020030040{99000 + customer}"
    )
    for kind, scope, value in (
        ("email", "", found.email),
        ("phone", "", found.phone),
        ("instagram", account, found.instagram),
    ):
        stack.rows(
            "WITH address AS (INSERT INTO customers_identity "
            "(kind, scope, value, handle, customer_id, origin, first_seen_at, is_person) "
            "VALUES (%s, %s, %s, '', %s, 'the guest book', now(), false) RETURNING id) "
            "INSERT INTO customers_identitylink (identity_id, customer_id, reason, words, made_at) "
            "SELECT id, %s, 'imported', '', now() FROM address RETURNING id",
            kind,
            scope,
            value,
            customer,
            customer,
        )
    return found


def held_back(stack: Stack, text: str) -> None:
    """Keeps a reply that was just sent from leaving, so that no slow machine lets it go before it is taken back."""
    until(
        lambda: stack.rows(
            "UPDATE inbox_delivery SET not_before = now() + interval '1 minute' FROM inbox_entry "
            "WHERE inbox_entry.id = entry_id AND inbox_entry.text LIKE %s AND state = 'queued' "
            "RETURNING inbox_delivery.id",
            f"%{text}",
        ),
        f"{text!r} is on its way out",
    )


def taken_in(stack: Stack, marker: str, times: int = 1) -> None:
    """Waits until the product has this message."""
    until(lambda: stack.messages(marker) >= times, f"{marker!r} was taken in")
