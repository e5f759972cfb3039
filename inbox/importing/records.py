"""One customer, order or event as another system tells it: JSON of the endpoint, or a line of a file. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import make_aware

from connectors.adapters import ADAPTERS
from customers.clocks import is_zone
from customers.identities import EMAIL, INSTAGRAM, PHONE, WHATSAPP, NotAnAddress, normalise

MOST_ADDRESSES, MOST_ATTRIBUTES = 20, 50
SCOPED = (INSTAGRAM,)  # ids that mean something to one account of ours only
HANDLE = re.compile(r"[a-z0-9._]{1,30}")
HANDLES = "Instagram"  # the attribute that shows them


class BadRecord(Exception):
    """`words` say what is wrong, in one sentence."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class ToldAddress:
    kind: str
    scope: str
    value: str
    is_proven: bool  # the other system has made sure whose it is

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.scope, self.value


@dataclass(frozen=True, slots=True)
class ToldCustomer:
    external_id: str
    name: str = ""
    language: str = ""
    time_zone: str = ""
    prefers: str = ""
    addresses: tuple[ToldAddress, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    handles: tuple[str, ...] = ()  # on Instagram; who writes to us from there has an id that no other system knows

    @property
    def keys(self) -> list[tuple[str, str, str]]:
        return [each.key for each in self.addresses]


@dataclass(frozen=True, slots=True)
class ToldOrder:
    external_id: str
    number: str
    title: str
    status: str
    amount: Decimal | None
    currency: str
    placed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToldEvent:
    external_id: str
    reference: str
    name: str
    detail: str
    at: datetime | None

    @property
    def known_by(self) -> str:
        """Its reference; else all that was told, if it was told when it happened."""
        if self.reference or self.at is None:
            return self.reference
        told = (self.external_id, self.name, self.detail, self.at.astimezone(UTC).isoformat())
        return hashlib.sha256("\x00".join(told).encode()).hexdigest()


def read_customer(external_id: str, fields: Mapping[str, object]) -> ToldCustomer:
    """`fields`: name, language, time_zone, prefers, instagram: a handle, or several parted by semicolons,
    identities: [{kind, value, scope, proven}], attributes: {}."""
    zone, prefers = _line(fields, "time_zone", 64), _line(fields, "prefers", 16)
    if zone and not is_zone(zone):
        raise BadRecord(f"There is no time zone {zone}; they are called like Europe/Lisbon.")
    channels = [each.value for each in ADAPTERS]
    if prefers and prefers not in channels:
        raise BadRecord(f"prefers is one of {', '.join(channels)}, not {prefers}.")
    handles = _handles(_line(fields, "instagram", 200))
    shown = {HANDLES: ", ".join(f"@{each}" for each in handles)} if handles else {}
    return ToldCustomer(
        external_id=_required(external_id, "external_id", 120),
        name=_line(fields, "name", 200),
        language=_line(fields, "language", 16),
        time_zone=zone,
        prefers=prefers,
        addresses=_addresses(fields.get("identities") or []),
        attributes={**_attributes(fields.get("attributes") or {}), **shown},
        handles=handles,
    )


def read_order(external_id: str, fields: Mapping[str, object]) -> ToldOrder:
    """`fields`: number, title, status, amount, currency (ISO 4217), placed_at (ISO 8601)."""
    amount, currency = _amount(fields.get("amount")), _line(fields, "currency", 3).upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise BadRecord(f"{currency} is no currency; they are called like EUR.")
    return ToldOrder(
        external_id=_required(external_id, "external_id", 120),
        number=_required(_line(fields, "number", 60).removeprefix("#"), "number", 60),
        title=_line(fields, "title", 200),
        status=_line(fields, "status", 60),
        amount=amount,
        currency=currency,
        placed_at=_moment(fields, "placed_at"),
    )


def read_event(external_id: str, fields: Mapping[str, object]) -> ToldEvent:
    """`fields`: name, detail, at (ISO 8601; now when it is missing), reference.

    By the reference, or by all that was told, it is known again.
    """
    return ToldEvent(
        external_id=_required(external_id, "external_id", 120),
        reference=_line(fields, "reference", 120),
        name=_required(_line(fields, "name", 120), "name", 120),
        detail=_line(fields, "detail", 500),
        at=_moment(fields, "at"),
    )


def read_address(kind: str, value: str, scope: str = "", *, is_proven: bool = False) -> ToldAddress:
    if kind not in (EMAIL, PHONE, WHATSAPP, INSTAGRAM):
        raise BadRecord(f"There is no kind of address called {kind[:40]}.")
    if (kind in SCOPED) != bool(scope):
        words = "needs the scope: our account's own id" if kind in SCOPED else "has no scope"
        raise BadRecord(f"An address of the kind {kind} {words}.")
    try:
        region = settings.DEFAULT_REGION if kind in (PHONE, WHATSAPP) else None
        return ToldAddress(kind, scope, normalise(kind, value, region), is_proven)
    except NotAnAddress as error:
        raise BadRecord(f"{error}.") from error


def _handles(told: str) -> tuple[str, ...]:
    handles = [each.strip().removeprefix("@").lower() for each in told.split(";") if each.strip()]
    for handle in handles:
        if not HANDLE.fullmatch(handle):
            raise BadRecord(f"“{handle[:40]}” is no Instagram handle; they are written like maya.ortz.")
    return tuple(dict.fromkeys(handles))


def _addresses(given: object) -> tuple[ToldAddress, ...]:
    if not isinstance(given, list) or len(given) > MOST_ADDRESSES:
        raise BadRecord(f"identities is a list of at most {MOST_ADDRESSES}.")
    found: dict[tuple[str, str, str], ToldAddress] = {}
    for each in given:
        if isinstance(each, ToldAddress):
            found[each.key] = each
            continue
        if not isinstance(each, dict):
            raise BadRecord("Each of identities is an object with kind and value.")
        read = read_address(
            _line(each, "kind", 16),
            _line(each, "value", 320),
            _line(each, "scope", 64),
            is_proven=each.get("proven") is True,
        )
        found[read.key] = read
    return tuple(found.values())


def _attributes(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or len(given) > MOST_ATTRIBUTES:
        raise BadRecord(f"attributes is an object with at most {MOST_ATTRIBUTES} values.")
    names = {name: _required(" ".join(str(name).split()), "The name of an attribute", 60) for name in given}
    found = {names[name]: value for name, value in given.items()}
    lines = {name: _line(found, name, 500) for name in found}
    return {name: value for name, value in lines.items() if value}


def _line(fields: Mapping[str, object], name: str, most: int) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str | int | float):
        raise BadRecord(f"{name} is text.")
    return _checked(" ".join(str(value).split()), name, most)


def _checked(text: str, name: str, most: int) -> str:
    if "\x00" in text or not text.isprintable():
        raise BadRecord(f"{name} holds a character that cannot be kept.")
    if len(text) > most:
        raise BadRecord(f"{name} has {len(text)} characters; {most} is the most.")
    return text


def _required(text: str, name: str, most: int) -> str:
    if not text:
        raise BadRecord(f"{name} is missing.")
    return _checked(text, name, most)


def _amount(given: object) -> Decimal | None:
    if given is None or given == "":
        return None
    try:
        amount = Decimal(str(given)).quantize(Decimal("0.01"))
    except InvalidOperation as error:
        raise BadRecord(f"{str(given)[:40]} is no amount; they are written like 12.50.") from error
    if not amount.is_finite() or abs(amount) >= 10**12:
        raise BadRecord(f"{str(given)[:40]} is no amount that can be kept.")
    return amount


def _moment(fields: Mapping[str, object], name: str) -> datetime | None:
    """A time without a zone is UTC; a day alone is its first moment."""
    given = _line(fields, name, 40)
    if not given:
        return None
    try:
        at, day = parse_datetime(given), parse_date(given)
    except ValueError:
        at, day = None, None
    if at is None and day is not None:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if at is None:
        raise BadRecord(f"{given} is no time; they are written like 2026-11-22T10:52:00Z.")
    return at if at.tzinfo else make_aware(at, UTC)
