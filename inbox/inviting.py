"""Inviting a customer to another channel: the words with the code, and the code itself only in what leaves."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Channel
from connectors.models import Connector
from customers.models import Identity
from inbox.codes import MARKS, marks_in
from inbox.models import Agent, Case, Entry, Invitation
from inbox.switching import IN_SENTENCE

BY = {"email": "email it to", "sms": "text it to"}  # else: send it


def invite(case: Case, connector: Connector, *, by: Agent, with_link: bool = False) -> str:
    """What the agent sends, with marks where the code goes. The link opens a page with a QR code."""
    invitation, how = _new(case, connector, by), BY.get(connector.kind, "send it to")
    there = f"{'by' if connector.kind in BY else 'on'} {IN_SENTENCE[connector.kind]}"
    words = f"To continue {there}, take this code and {how} {our_address(connector)}: {invitation.placeholder}"
    return f"{words}\nOr open <link-{invitation.mark}>" if with_link else words


def question(case: Case, connector: Connector, *, by: Agent) -> str:
    """The other way about: told on an address that is sure, to make sure of the one over there."""
    where, there, code = IN_SENTENCE[connector.kind], our_address(connector), _new(case, connector, by).placeholder
    return f"To be sure that it is you on {where}, please send us this code there ({there}): {code}"


def was_just_told(case: Case, to: Identity, connector: Connector) -> bool:
    """A second click, or a colleague with the same idea."""
    lately = Invitation.objects.open().filter(case__in=case.family(), told_to=to, connector=connector)
    return lately.filter(made_at__gt=now() - timedelta(minutes=10)).exists()


def _new(case: Case, connector: Connector, by: Agent) -> Invitation:
    return Invitation.objects.create(case=case, connector=connector, by=by)


def our_address(connector: Connector) -> str:
    """As a customer would look for us. An account's number tells nobody anything."""
    if connector.kind != Channel.INSTAGRAM:
        return connector.address
    username = connector.options.get("username", "")
    return f"@{username}" if username else "our account"


def door(connector: Connector, code: str) -> str:
    """A link that opens the customer's own program with the code ready to send; empty where there is none."""
    return ADAPTERS[Channel(connector.kind)].door(connector.account(), code)


def invitations(case: Case, text: str) -> list[Invitation]:
    """Those whose marks are in a text of this case."""
    marks = marks_in(text)
    return list(Invitation.objects.filter(case__in=case.family(), mark__in=marks)) if marks else []


def trouble(case: Case, text: str) -> str:
    """Why the marks of a text cannot be told; empty when they can."""
    known = invitations(case, text)
    if {each.mark for each in known} != marks_in(text):
        return "A code in this text belongs to another case. Take it out and put in a new one."
    if not all(each.may_be_told for each in known):
        return "A code in this text was told before. Take it out and put in a new one."
    return ""


def tell(case: Case, entry: Entry) -> None:
    """The reply is stored: from now on its codes count."""
    for invitation in invitations(case, entry.text):
        invitation.tell(entry)


def fill(text: str, case: Case) -> str:
    """The text as it leaves: with the codes."""
    codes = {each.mark: each.spelled for each in invitations(case, text)}

    def spelled(match: re.Match[str]) -> str:
        code = codes.get(match[2], "")
        return f"{settings.PUBLIC_URL}/go-on/{code}/" if code and match[1] == "link" else code

    return MARKS.sub(spelled, text) if codes else text
