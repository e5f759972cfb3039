"""An agent passes a customer's mail on to us: it is the customer's message, and the agent's own words are a note."""

from __future__ import annotations

from dataclasses import replace

from connectors.messages import Authenticity, EmailHeaders, InboundMessage
from inbox.models import Agent, Case, Entry, EntryKind


def behind(item: InboundMessage) -> tuple[InboundMessage, Agent | None]:
    """The message as its writer's, and who passed it on.

    Only our mail server's proof makes a sender an agent: anybody can write an agent's address. What the agent shows is
    believed as much as a mail nobody vouches for.
    """
    if item.original is None or item.authenticity != Authenticity.PASS:
        return item, None
    agent = Agent.objects.filter(email__iexact=item.sender.address, is_active=True).first()
    if agent is None:
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


def note(case: Case, item: InboundMessage, agent: Agent | None) -> None:
    if agent and item.original and item.original.note:
        case.record(Entry(kind=EntryKind.NOTE, agent=agent, author=agent.name, text=item.original.note))
