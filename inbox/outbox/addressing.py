"""Where a mail goes, and who else reads it: the address at which answers are wanted, Cc and Bcc.

A Reply-To is the word of whoever wrote the mail. It says where to answer, and never whose that address is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import IntegrityError, transaction

from connectors.adapters import ADAPTERS
from connectors.messages import Authenticity, Channel, OutboundMessage, Refusal
from connectors.models import Connector
from customers.identities import EMAIL, NotAnAddress, normalise
from customers.models import Customer, Identity, IdentityLink, Tombstone
from customers.models.link import LinkReason
from customers.models.tombstone import digest_of
from inbox.models import Agent, Case, Entry, EntryKind, Participant, ParticipantRole
from inbox.models.entry import SOMEBODY
from inbox.outbox.errors import BadReply, CannotSend
from inbox.outbox.ways import Option, refusal

MOST_PEOPLE = 20
ANYBODYS = frozenset(  # domains at which anybody gets an address: having one there proves nothing
    """126.com 163.com alice.it aol.com arcor.de att.net bk.ru bluewin.ch bol.com.br btinternet.com comcast.net cox.net
    fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com
    hotmail.co.uk hotmail.com hotmail.de hotmail.fr icloud.com inbox.ru interia.pl laposte.net libero.it list.ru
    live.co.uk live.com mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com naver.com o2.pl onet.pl orange.fr
    outlook.com outlook.de outlook.fr pm.me posteo.de proton.me protonmail.com qq.com
    seznam.cz sfr.fr sina.com sky.com sympatico.ca t-online.de talktalk.net telenet.be tim.it tutanota.com uol.com.br
    verizon.net virgilio.it virginmedia.com wanadoo.fr web.de wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr
    yandex.ru ymail.com ziggo.nl zoho.com""".split()  # noqa: SIM905
)
FORGOTTEN = Refusal("Whoever has this address asked to be forgotten.", "Answer the sender's own address.")
_NAMED = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]*)>\s*")


@dataclass(frozen=True)
class Wanted:
    """Another address than their own, at which their last mail wants to be answered."""

    address: str
    is_default: bool
    is_elsewhere: bool  # of another domain than their own


@dataclass(frozen=True)
class Readers:
    """Everybody who gets one mail, beside the address that the reply is for."""

    sent_to: str = ""  # where answers are wanted; empty: the customer's own address
    copied: Sequence[Identity] = ()  # ticked
    cc: Sequence[Identity] = ()  # named with this very mail
    bcc: Sequence[Identity] = ()  # for this mail only, and nobody else sees them
    reading: frozenset[str] = frozenset()  # the addresses of those who read along in this case
    since: dict[str, int] = field(default_factory=dict)  # the last entry before some of them began to
    names: dict[str, str] = field(default_factory=dict)  # as they were typed, by address

    def reader(self, option: Option) -> Identity:
        """Whose words these are for. Nobody has to be known at an address where answers are wanted."""
        return _known(self.sent_to) if self.sent_to else option.identity

    @property
    def old(self) -> list[Identity]:
        return [each for each in (*self.copied, *self.cc, *self.bcc) if each.value in self.reading]

    @property
    def new(self) -> list[Identity]:
        """They have read nothing of this case yet."""
        return [each for each in (*self.cc, *self.bcc) if each.value not in self.reading]

    @property
    def shown_copies(self) -> list[str]:
        return [each.value for each in (*self.copied, *self.cc)]


def takes_copies(option: Option) -> bool:
    return ADAPTERS[Channel(option.channel)].limits.has_copies


def readers_of(case: Case, option: Option, *, participants: Sequence[int], cc: str, bcc: str, sent_to: str) -> Readers:
    """What the form says, checked. Raises BadReply and CannotSend."""
    if not takes_copies(option):
        return Readers()
    to = chosen(case, option, sent_to)
    named, blind = typed("cc", cc, option), typed("bcc", bcc, option)
    there = _there(case)
    ticked = [_writable("cc", each.identity, option) for each in there if each.pk in participants]
    seen = {to or option.identity.value}
    return Readers(
        sent_to=to,
        cc=_once(named, seen),
        copied=_once(ticked, seen),
        bcc=_once(blind, seen),
        reading=frozenset(each.identity.value for each in there),
        since={each.identity.value: each.entry.pk - 1 for each in there if each.entry and _began_with(each.entry)},
        names=_names(cc),
    )


def wanted(case: Case, option: Option | None) -> Wanted | None:
    """None where their own address is all there is, and where the other one may not be written to."""
    wish = option.wish if option else None
    if option is None or wish is None or wish.case not in case.family():
        return None
    if _is_ours(wish.address) or Agent.objects.filter(email__iexact=wish.address).exists():
        return None
    if refusal_at(wish.address, option.connector, wish.at):
        return None
    there, own = _domain(wish.address), _domain(option.identity.value)
    is_near = there == own and there not in ANYBODYS
    return Wanted(wish.address, is_default=wish.is_vouched_for or is_near, is_elsewhere=there != own)


def chosen(case: Case, option: Option, sent_to: str) -> str:
    """The address the mail goes to, empty for the customer's own. `sent_to`: which of the two; empty: as is usual."""
    offered = wanted(case, option)
    if not sent_to:
        return offered.address if offered and offered.is_default else ""
    if sent_to == option.identity.value:
        return ""
    if offered and offered.address == sent_to:
        return sent_to
    raise CannotSend(f"Answers cannot go to {sent_to} any more.", "Choose the address again.")


def refusal_at(address: str, connector: Connector, since: datetime) -> Refusal | None:
    """Why nothing may be sent to an address that only a mail names. `since`: when it was named."""
    if not address:
        return None
    if address == SOMEBODY:
        return FORGOTTEN
    known = Identity.objects.filter(kind=EMAIL, scope="", value=address).first()
    if known:
        return refusal(known, connector)
    forgotten = Tombstone.objects.filter(digest=digest_of(EMAIL, "", address), erased_at__gt=since)
    if forgotten.exists():
        return FORGOTTEN
    return None


def still_read_by(message: OutboundMessage, connector: Connector) -> tuple[OutboundMessage, dict[str, str]]:
    """Without those copied in who may not be written to any more; and why, by address."""
    mail = message.email
    copied = [each.address for each in (*mail.cc, *mail.bcc)] if mail else []
    if mail is None or not copied:
        return message, {}
    known = Identity.objects.filter(kind=EMAIL, scope="", value__in=copied)
    refused = {each.value: no.reason for each in known if (no := refusal(each, connector))}
    cc, bcc = (tuple(each for each in people if each.address not in refused) for people in (mail.cc, mail.bcc))
    return replace(message, email=replace(mail, cc=cc, bcc=bcc)), refused


def typed(name: str, words: str, option: Option) -> list[Identity]:
    """The people of one field, as they are known; who is not known yet is not stored. Raises BadReply."""
    found = [_somebody(name, address, option) for address, _ in _pieces(words)]
    if len(found) > MOST_PEOPLE:
        raise BadReply(name, f"At most {MOST_PEOPLE} people can be named there. Take some out.")
    return found


def meet(people: Iterable[Identity], names: str, *, by: Agent) -> None:
    """Stores those who are new, before anybody is locked: intake does it in the same order."""
    called = _names(names)
    for each in _once(people, set()):
        if not each.pk:
            with suppress(IntegrityError), transaction.atomic():  # a mail that came in has just met them as well
                new_somebody(EMAIL, each.value, called.get(each.value, ""), f"{by.name}, copied in", by)


def new_somebody(kind: str, value: str, name: str, origin: str, by: Agent) -> Identity:
    customer = Customer.objects.create(name=name[:200], named_by_agent=bool(name))
    identity = Identity.objects.create(kind=kind, value=value, customer=customer, origin=origin[:120])
    IdentityLink.objects.create(identity=identity, customer=customer, reason=LinkReason.ADDED, made_by=by)
    return identity


def copy_in(case: Case, reply: Entry, readers: Readers) -> None:
    """Who is named with this mail reads along from now on. What they were before is kept with the reply, for undo."""
    if not readers.cc:
        return
    own, were = set(case.customer.current().family()), {}
    rows = {each.identity_id: each for each in Participant.objects.filter(case__in=case.family())}
    for each in readers.cc:
        row = rows.get(each.pk)
        were[each.value] = row.role if row else ""
        if row:
            Participant.objects.filter(pk=row.pk).update(role=ParticipantRole.COPIED)
        elif each.customer_id not in own:
            about = {"role": ParticipantRole.COPIED, "name": readers.names.get(each.value, ""), "entry": reply}
            Participant.objects.create(case=case, identity=each, **about)
    reply.data["copied_in"] = were
    reply.save(update_fields=["data"])


def not_copied_in(case: Case, reply: Entry) -> str:
    """Taken back. Returns whom it had named, as somebody would type it."""
    were: dict[str, str] = reply.data.get("copied_in", {})
    rows = Participant.objects.filter(case__in=case.family())
    for address, role in were.items():
        row = rows.filter(identity__value=address)
        if later := _copied_to_later(case, reply, address):  # taking that one back is what ends it
            later.data["copied_in"] = {**later.data.get("copied_in", {}), address: role}
            later.save(update_fields=["data"])
            row.filter(entry=reply).update(entry=later)
        elif role:
            row.update(role=role)
        else:
            row.filter(entry=reply).delete()
    return ", ".join(were)


def _copied_to_later(case: Case, reply: Entry, address: str) -> Entry | None:
    later = case.timeline().filter(pk__gt=reply.pk, kind=EntryKind.REPLY, unsent_at=None)
    return later.filter(headers__cc__contains=address).order_by("pk").first()


def _began_with(named: Entry) -> bool:
    """They read nothing before it: an agent copied them in, or a mail says so that may be anybody's. The customer may
    have shown the rest to whom they named themselves."""
    return named.is_ours or (named.kind == EntryKind.MESSAGE and named.authenticity != Authenticity.PASS)


def _there(case: Case) -> list[Participant]:
    found = Participant.objects.filter(case__in=case.family()).exclude(role=ParticipantRole.REMOVED)
    return list(found.select_related("identity", "entry").order_by("pk"))


def _once(people: Iterable[Identity], seen: set[str]) -> list[Identity]:
    found = []
    for each in people:
        if each.value not in seen:
            seen.add(each.value)
            found.append(each)
    return found


def _somebody(name: str, address: str, option: Option) -> Identity:
    try:
        value = normalise(EMAIL, address)
    except NotAnAddress:
        value = ""
    if not value.isascii() or not value:
        raise BadReply(name, f"“{address[:80]}” is no email address. Correct it, or take it out.")
    if _is_ours(value):
        raise BadReply(name, f"{value} is an address of ours. Take it out.")
    return _writable(name, _known(value), option)


def _writable(name: str, reader: Identity, option: Option) -> Identity:
    no = refusal(reader, option.connector) if reader.pk else None
    if no:
        raise BadReply(name, f"{reader.value} cannot be written to. {no.reason} {no.remedy}".strip())
    return reader


def _known(value: str) -> Identity:
    return Identity.objects.filter(kind=EMAIL, scope="", value=value).first() or Identity(kind=EMAIL, value=value)


def _pieces(words: str) -> list[tuple[str, str]]:
    """(address, name) of each that stands between commas, semicolons or line ends."""
    found = []
    for piece in filter(None, (each.strip() for each in re.split(r"[,;\r\n]+", words))):
        match = _NAMED.fullmatch(piece)
        found.append((match["address"].strip(), match["name"].strip("\"' ")) if match else (piece, ""))
    return found


def _names(words: str) -> dict[str, str]:
    return {address.lower(): name[:200] for address, name in _pieces(words) if name}


def _is_ours(address: str) -> bool:
    """With or without a reply token in it, of any mailbox."""
    local, _, domain = address.lower().rpartition("@")
    mailboxes = Connector.objects.filter(kind=Channel.EMAIL).values_list("addresses", flat=True)
    ours = {each.lower() for addresses in mailboxes for each in addresses}
    return not ours.isdisjoint({address.lower(), f"{local.partition('+')[0]}@{domain}"})


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
