"""Plain builders. What customers say goes through the real intake: `says(maya, mailbox, "Hello")`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from connectors.messages import (
    Attachment,
    Authenticity,
    Classification,
    EmailHeaders,
    InboundMessage,
    Sender,
)
from connectors.models import Connector
from customers.models import Customer, Identity, IdentityLink
from inbox import codes, inviting, outbox
from inbox.intake import messages
from inbox.models import Agent, Case, Entry, Team
from inbox.models.case import SPOKEN
from inbox.outbox.composing import compose

_numbers = itertools.count(1)
PASSWORD = "a-long-test-password"
INSTAGRAM_ACCOUNT = "17841405793187218"
ACCOUNT_SID = "AC" + "a" * 32
KINDS = {"email": "email", "sms": "phone", "instagram": "instagram", "whatsapp": "whatsapp"}


def team(name: str) -> Team:
    return Team.objects.get_or_create(name=name)[0]


def agent(name: str, *teams: Team, role: str = "agent") -> Agent:
    email = f"{name.split()[0].lower()}@throughline.test"
    found = Agent.objects.filter(email=email).first()
    if found is None:
        found = Agent.objects.create_agent(email, PASSWORD, name=name, role=role)
        found.teams.set(teams)
    return found


def mailbox(address: str, of: Team) -> Connector:
    return Connector.objects.create(
        kind="email",
        name=of.name,
        addresses=[address],
        team=of,
        credentials={"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1"},
        options={"authserv_id": "sandbox.test"},
    )


def number(of: Team, value: str = "+14155550100") -> Connector:
    return Connector.objects.create(
        kind="sms",
        name="Texts",
        addresses=[value],
        team=of,
        credentials={"account_sid": ACCOUNT_SID, "auth_token": "a-twilio-token"},
    )


def whatsapp(of: Team, value: str = "+14155550199") -> Connector:
    return Connector.objects.create(
        kind="whatsapp",
        name="WhatsApp",
        addresses=[value],
        team=of,
        credentials={"account_sid": ACCOUNT_SID, "auth_token": "a-twilio-token"},
    )


def instagram_account(of: Team, value: str = INSTAGRAM_ACCOUNT) -> Connector:
    return Connector.objects.create(
        kind="instagram",
        name="Instagram",
        addresses=[value],
        team=of,
        credentials={"app_secret": "appsecret123", "verify_token": "verify-me", "access_token": "token"},
    )


def customer(name: str, *, email: str = "", phone: str = "", instagram: str = "") -> Customer:
    made = Customer.objects.create(name=name, named_by_agent=True, has_written=True)
    for kind, scope, value in [("email", "", email), ("phone", "", phone), ("instagram", INSTAGRAM_ACCOUNT, instagram)]:
        if value:
            identity = Identity.objects.create(kind=kind, scope=scope, value=value, customer=made, origin="the import")
            IdentityLink.objects.create(identity=identity, customer=made, reason="imported")
    return made


def message(
    sender: Customer | Sender,
    to: Connector,
    text: str,
    *,
    provider_id: str = "",
    subject: str = "",
    sent_at: datetime | None = None,
    classification: str = "person",
    authenticity: str = "",
    cc: Sequence[Sender] = (),
    references: Sequence[str] = (),
    reply_tokens: Sequence[str] = (),
    files: Sequence[Attachment] = (),
    answer_at: str = "",
) -> InboundMessage:
    unique = next(_numbers)
    if isinstance(sender, Customer):
        identity = sender.identities.get(kind=KINDS[to.kind], scope=INSTAGRAM_ACCOUNT if to.kind == "instagram" else "")
        sender = Sender(identity.value, identity.scope, sender.name)
    is_mail = to.kind == "email"
    return InboundMessage(
        provider_id=provider_id or f"provider-{unique}",
        sender=sender,
        recipient=to.address,
        text=text,
        sent_at=sent_at,
        subject=subject or ("Hello" if is_mail else ""),
        attachments=tuple(files),
        classification=Classification(classification),
        authenticity=Authenticity(authenticity or ("pass" if is_mail else "unknown")),
        email=EmailHeaders(
            message_id=f"{unique}@ortiz.test",
            references=tuple(references),
            reply_tokens=tuple(reply_tokens),
            cc=tuple(cc),
            reply_to=answer_at,
        )
        if is_mail
        else None,
    )


def says(sender: Customer | Sender, to: Connector, text: str, **about: Any) -> Entry:
    """The entry that came of it, through the real intake."""
    with transaction.atomic():
        outcome = messages.receive(to, message(sender, to, text, **about))
    return Entry.objects.select_related("case__customer", "identity").get(pk=outcome["entry"])


def answers(by: Agent, case: Case, text: str, *, channel: str = "", **about: Any) -> Entry:
    """A reply, on the channel the composer would offer or the one named."""
    case = Case.objects.get(pk=case.pk)
    ways = outbox.options(case)
    if channel:
        option = next(way for way in ways if way.channel == channel)
    else:
        found, why = outbox.default_option(case, ways)
        assert found, why
        option = found
    about.setdefault("seen_entry", newest_of(case.family()))
    return outbox.reply(case, by=by, option_key=option.key, text=text, **about)


def newest_of(family: list[int]) -> int:
    """What an agent has seen who saw the case just now."""
    seen = Entry.objects.filter(Q(kind__in=SPOKEN) | Q(event="joined"), case__in=family)
    return seen.aggregate(newest=Max("pk"))["newest"] or 0


def code_from(by: Agent, case: Case, connector: Connector, **about: Any) -> str:
    """`by` invites the customer to `connector`: the code as it reaches them."""
    words = inviting.invite(Case.objects.get(pk=case.pk), connector, by=by)
    return code_in(answers(by, case, words, **about))


def code_in(reply: Entry) -> str:
    return codes.spelled(codes.written_in("".join(compose(each).text for each in reply.deliveries.all()))[0])
