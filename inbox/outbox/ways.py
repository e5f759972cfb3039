"""Where a customer can be written to now. The server decides; the composer only shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Authenticity, Channel, Closing, Refusal, Standing
from connectors.models import Connector
from customers.identities import UNPROVEN
from customers.models import Consent, Identity
from customers.models.consent import Purpose
from inbox.models import Case, Draft, Entry
from inbox.switching import Way, default_way

LAST_WROTE = """SELECT i.id, last.connector_id, last.our_address,
    said.data ->> 'answer_at', said.case_id, said.authenticity, said.created_at
FROM unnest(%s::bigint[]) i(id)
CROSS JOIN LATERAL (SELECT connector_id, our_address FROM inbox_entry
    WHERE identity_id = i.id AND kind IN ('message', 'filed') ORDER BY id DESC LIMIT 1) last
LEFT JOIN LATERAL (SELECT data, case_id, authenticity, created_at FROM inbox_entry
    WHERE identity_id = i.id AND kind = 'message' ORDER BY id DESC LIMIT 1) said ON true"""


@dataclass(frozen=True)
class Wish:
    """Another address, at which the last mail from somewhere wants to be answered; its case, and when it came."""

    address: str
    case: int
    is_vouched_for: bool
    at: datetime


@dataclass(frozen=True)
class Last:
    """What somebody wrote to last, and what they wished."""

    connector: int = 0
    our_address: str = ""
    wish: Wish | None = None


@dataclass(frozen=True)
class Option:
    """One address of the customer through one connector of ours."""

    channel: str
    identity: Identity
    connector: Connector
    our_address: str
    last_used: datetime | None
    refusal: Refusal | None
    confirm: str = ""  # must be agreed to first: "Has never texted us. …"
    files_allowed: int = field(default=0)
    closing: Closing | None = None  # until when they may be written to there
    wish: Wish | None = None  # of their last mail

    @property
    def key(self) -> str:
        return f"{self.connector.pk}-{self.identity.pk}"

    @property
    def shown(self) -> str:
        return self.identity.shown

    @property
    def is_usable(self) -> bool:
        return self.refusal is None


def options(case: Case, known: Sequence[Identity] | None = None) -> list[Option]:
    """All ways to the case's customer, the one used last first. `known`: their identities in use, read already."""
    if known is None:
        known = list(case.customer.current().identities.in_use().order_by("pk"))
    identities = [each for each in known if each.scope != UNPROVEN]
    connectors = list(Connector.objects.active().select_related("team").defer("credentials"))
    wrote, opted_out = _last_wrote(identities), Consent.objects.opted_out(identities)
    found = [
        _option(identity, connector, our_address, opted_out(identity, str(connector.uuid)), wrote)
        for identity in identities
        for connector, our_address in _connectors_for(case, identity, connectors, wrote)
    ]
    return sorted(found, key=lambda each: each.last_used.timestamp() if each.last_used else 0.0, reverse=True)


def _last_wrote(identities: Sequence[Identity]) -> dict[int, Last]:
    """By identity."""
    with connection.cursor() as cursor:  # by hand: every case that is opened pays for it
        cursor.execute(LAST_WROTE, [[each.pk for each in identities]])
        return {identity: Last(connector, ours, _wish(*said)) for identity, connector, ours, *said in cursor.fetchall()}


def _wish(address: str | None, case: int, authenticity: str, at: datetime) -> Wish | None:
    return Wish(address, case, authenticity == Authenticity.PASS, at) if address else None


def _connectors_for(
    case: Case, identity: Identity, connectors: Sequence[Connector], wrote: dict[int, Last]
) -> list[tuple[Connector, str]]:
    """The connector (and address of ours) this identity last wrote to; without one, the case's team's, else any."""
    able = _able(identity, connectors)
    last = wrote.get(identity.pk, Last())
    if last.connector in {each.pk for each in able}:
        return [(each, last.our_address or each.address) for each in able if each.pk == last.connector]
    teams = [each for each in able if each.team_id == case.team_id]
    return [(each, each.address) for each in (teams or able)[:1]]


def _option(
    identity: Identity, connector: Connector, our_address: str, opted_out_at: datetime | None, wrote: dict[int, Last]
) -> Option:
    limits = ADAPTERS[Channel(connector.kind)].limits
    return Option(
        channel=connector.kind,
        identity=identity,
        connector=connector,
        our_address=our_address,
        last_used=identity.last_inbound_at,
        refusal=_refusal(identity, connector, opted_out_at),
        confirm=to_confirm(identity, connector),
        files_allowed=limits.max_files,
        closing=limits.closing(Standing(now(), last_inbound_at=identity.last_inbound_at, options=connector.options)),
        wish=wrote.get(identity.pk, Last()).wish,
    )


def to_confirm(identity: Identity, connector: Connector) -> str:
    """What an agent must agree to before the first text to a number that never wrote; empty when none is needed."""
    if identity.last_inbound_at is not None or not ADAPTERS[Channel(connector.kind)].limits.asks_before_first:
        return ""
    if Entry.objects.filter(identity=identity, channel=connector.kind).that_left().exists():
        return ""
    return f"Has never texted us. Number from {identity.origin or 'an agent'}."


def refusal(
    identity: Identity,
    connector: Connector,
    *,
    automatic: bool = False,
    is_last_word: bool = False,
    purpose: Purpose = Purpose.SERVICE,
) -> Refusal | None:
    """Asked again when the message is about to leave. `is_last_word`: an apology to a stranger."""
    sender = str(connector.uuid)
    opted_out_at = Consent.objects.opted_out_at(identity, sender)
    refused = _refusal(identity, connector, opted_out_at, automatic=automatic, is_last_word=is_last_word)
    if not refused and automatic and not is_last_word and Consent.objects.refuses_automatic(identity, sender):
        return Refusal("They want no automatic messages here.", "A person may still write to them.")
    if refused or purpose != Purpose.MARKETING or Consent.objects.agreed_to_marketing(identity, sender):
        return refused
    return Refusal("They have not agreed to marketing here.", "Ask them, and note their answer on their page.")


def _refusal(
    identity: Identity,
    connector: Connector,
    opted_out_at: datetime | None,
    *,
    automatic: bool = False,
    is_last_word: bool = False,
) -> Refusal | None:
    if identity.blocked_at:
        return Refusal("This address is blocked.", "Unblock it in the customer's panel first.")
    if identity.is_wrong and not is_last_word:
        return Refusal("This is the wrong person's address.", "It can be written to once it writes again.")
    if not identity.can_be_answered:
        return Refusal("Short codes and names instead of numbers take no answers.", "Use another channel.")
    if not connector.is_active:
        return Refusal(f"{connector.name} is paused.", "An admin can resume it on the health page.", passes=True)
    if connector.stops_sending:
        remedy = "An admin can do that on the health page."
        return Refusal(f"{connector.name} has to be connected again.", remedy, passes=True)
    standing = Standing(
        now=now(),
        last_inbound_at=identity.last_inbound_at,
        opted_out_at=opted_out_at,
        automatic=automatic,
        options=connector.options,
    )
    refused = ADAPTERS[Channel(connector.kind)].limits.refusal(standing)
    if refused is None and standing.opted_out_at:
        return Refusal(f"They wanted no more messages here on {standing.opted_out_at:%-d %B %Y}.", "Use another way.")
    return refused


def default_option(
    case: Case, ways: Sequence[Option], *, draft: Draft | None = None, chosen: str = ""
) -> tuple[Option | None, str]:
    """Where the composer answers, and why when that is not obvious."""
    keyed = {way.key: way for way in ways}
    picked, why = default_way(
        [
            Way(
                key=way.key,
                channel=way.channel,
                usable=way.is_usable and not way.confirm,
                last_at=way.last_used,
                why_not=way.refusal.reason if way.refusal else way.confirm,
            )
            for way in ways
        ],
        current=case.channel,
        draft_channel=draft.channel if draft and draft.text.strip() and draft.channel != "note" else "",
        chosen=chosen,
    )
    return (keyed[picked.key] if picked else None), why


def option_by_key(case: Case, key: str) -> Option | None:
    """The address and connector a form names, if the address is the customer's and the connector can reach it.

    Not only what `options` offers: an agent who writes first chooses the connector.
    """
    connector_pk, _, identity_pk = key.partition("-")
    if not (connector_pk.isdecimal() and identity_pk.isdecimal()):
        return None
    identity = case.customer.current().identities.exclude(scope=UNPROVEN).filter(pk=identity_pk).first()
    connector = Connector.objects.active().select_related("team").filter(pk=connector_pk).first()
    if identity is None or connector is None or connector not in _able(identity, [connector]):
        return None
    wrote = _last_wrote([identity])
    offered = _connectors_for(case, identity, [connector], wrote)
    opted_out_at = Consent.objects.opted_out_at(identity, str(connector.uuid))
    return _option(identity, connector, offered[0][1] if offered else connector.address, opted_out_at, wrote)


def _able(identity: Identity, connectors: Sequence[Connector]) -> list[Connector]:
    """Those that speak to this kind of address, and to this very one where it means something only to one account."""
    able = [each for each in connectors if ADAPTERS[Channel(each.kind)].identity_kind == identity.kind]
    return [each for each in able if identity.scope in each.addresses] if identity.scope else able
