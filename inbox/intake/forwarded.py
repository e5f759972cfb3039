"""An agent passes a customer's mail on to us: it is the customer's message, and the agent's own words are a note."""

from __future__ import annotations

from dataclasses import replace

from connectors.adapters.email.recipient import is_ours
from connectors.messages import Authenticity, Channel, EmailHeaders, InboundMessage
from connectors.models import Connector
from inbox.models import Agent, Case, Entry, EntryKind


def behind(item: InboundMessage) -> tuple[InboundMessage, Agent | None]:
    """The message as its writer's, and who passed it on.

    Only our mail server's proof makes a sender an agent: anybody can write an agent's address. What the agent shows is
    believed as much as a mail nobody vouches for.
    """
    if item.original is None or item.authenticity != Authenticity.PASS:
        return item, None
    agent = _agent(item.sender.address)
    if agent is None or _is_one_of_us(item.original.sender.address):
        return item, None
    headers = EmailHeaders(message_id=item.email.message_id if item.email else "")
    original = replace(
        item,
        sender=item.original.sender,
        text=item.original.text,
        subject=item.original.subject or item.subject,
        html="",
        quoted="",
        authenticity=Authenticity.UNKNOWN,
        email=headers,
        remark=f"Forwarded by {agent.name}",
    )
    return original, agent


def _agent(address: str) -> Agent | None:
    found: Agent | None = Agent.objects.filter(email__iexact=address, is_active=True).first()
    return found


def _is_one_of_us(address: str) -> bool:
    """A reply of ours, or a colleague's words: nobody to open a case for."""
    mailboxes = Connector.objects.filter(kind=Channel.EMAIL).values_list("addresses", flat=True)
    return is_ours(address, [each for addresses in mailboxes for each in addresses]) or _agent(address) is not None


def note(case: Case, item: InboundMessage, agent: Agent | None) -> None:
    if agent and item.original and item.original.note:
        case.record(Entry(kind=EntryKind.NOTE, agent=agent, author=agent.name, text=item.original.note))
