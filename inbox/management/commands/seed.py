"""The demo's people and stories. Stories go through the real intake and outbox: the demo cannot show what the code
cannot do. Does nothing to people and cases when they are there already; the files with how to sign in are written anew.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.timezone import now

from connectors.messages import Authenticity, Channel, EmailHeaders, InboundMessage, Sender
from connectors.models import Connector
from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox import outbox
from inbox.intake import messages
from inbox.models import Agent, Case, Delivery, Entry, Role, State, Switch, Team

INSTAGRAM_ACCOUNT = "17841405793187218"
OUTLET_ACCOUNT = "17841405793187299"  # nobody has connected it yet, nor these two
OUTLET_MAILBOX = "outlet@northwind.test"
OUTLET_NUMBER = "+14155550101"
APP_ID = "990000000000001"
ACCOUNT_SID = "AC" + "4d1e" * 8
NUMBER = "+14155550100"
WHATSAPP_NUMBER = "+14155550199"

AGENTS = [
    {"email": "ana@throughline.test", "name": "Ana Duarte", "role": Role.AGENT, "team": "Support"},
    {"email": "sam@throughline.test", "name": "Sam Keller", "role": Role.AGENT, "team": "Support"},
    {"email": "lee@throughline.test", "name": "Lee Wong", "role": Role.AGENT, "team": "Billing"},
    {"email": "sue@throughline.test", "name": "Sue Berger", "role": Role.SUPERVISOR, "team": "Support"},
    {"email": "adam@throughline.test", "name": "Adam Reyes", "role": Role.ADMIN, "team": "Support"},
]


def person(
    name: str, local: str, phone: str = "", instagram: str = "", handle: str = "", note: str = ""
) -> dict[str, str]:
    return {
        "name": name,
        "email": f"{local}@customers.test" if local else "",
        "phone": phone,
        "instagram_id": instagram,
        "instagram_handle": handle,
        "note": note,
    }


ON_RECORD = [
    person("Maya Ortiz", "maya.ortiz", "+14155552671", "1002003004005001", "maya.ortz"),
    person("Jon Bell", "jon.bell", "+14155552672", "1002003004005002", "jonbell"),
    person("Priya Nair", "priya.nair", "+14155552673", "1002003004005003", "priya.makes"),
    person("Tomás Rey", "tomas.rey", "+14155552674", "1002003004005004", "tomasrey"),
]
WITH_A_STORY = [
    person("Hanna Vogel", "hanna.vogel", "+14155552681", "1002003004005011", "hannav"),
    person("Omar Haddad", "omar.haddad", "+14155552682"),
    person("Ruth Okafor", "ruth.okafor", "", "1002003004005013", "ruth.okf"),
    person("Leo Marsh", "leo.marsh", "+14155552684"),
    person("Ines Prado", "ines.prado", "+14155552685", "1002003004005015", "inesprado"),
]
STRANGER = person(
    "Kim Novak", "kim.novak", "+14155552690", "1002003004005020", "kim.nvk", note="Nothing of Kim is on record."
)


class Command(BaseCommand):
    help = "Seeds the demo: teams, agents, connectors, customers and a few stories; writes demo.json and sandbox.json."

    def handle(self, *args: Any, **options: Any) -> None:
        var = Path(os.environ.get("VAR_DIR", settings.BASE_DIR / "var"))
        kept = self._kept(var / "demo-secrets.json")
        with transaction.atomic():
            teams = {name: Team.objects.get_or_create(name=name)[0] for name in ("Support", "Billing")}
            self._agents(teams, kept)
            connectors = self._connectors(teams, kept)
        if not Customer.objects.exists():
            self._people(ON_RECORD)
            self._people(WITH_A_STORY)
            Stories(connectors).tell()
        self._write(var, kept, connectors)

    def _kept(self, file: Path) -> dict[str, str]:
        """Passwords and keys of the demo, made once."""
        if not file.exists():
            names = ["agents", "mailboxes", "customers", "auth_token", "app_secret", "verify_token", "access_token"]
            _write_private(file, {name: secrets.token_hex(16) for name in names})
        kept: dict[str, str] = json.loads(file.read_text())
        return kept

    def _agents(self, teams: dict[str, Team], kept: dict[str, str]) -> None:
        for each in AGENTS:
            agent = Agent.objects.filter(email=each["email"]).first()
            if agent is None:
                agent = Agent.objects.create_agent(each["email"], _password(kept), name=each["name"], role=each["role"])
                agent.teams.add(teams[each["team"]])

    def _connectors(self, teams: dict[str, Team], kept: dict[str, str]) -> dict[str, Connector]:
        mail = {
            "imap_host": "127.0.0.1",
            "imap_port": os.environ.get("SANDBOX_IMAP_PORT", "8993"),
            "imap_security": "ssl",
            "smtp_host": "127.0.0.1",
            "smtp_port": os.environ.get("SANDBOX_SMTP_PORT", "8025"),
            "smtp_security": "starttls",
        }

        def mailbox(name: str, address: str, team: str) -> Connector:
            login = {"username": address, "password": kept["mailboxes"]}
            credentials = mail | {f"{kind}_{key}": value for kind in ("imap", "smtp") for key, value in login.items()}
            options = {"authserv_id": "sandbox.test", "from_name": "Northwind", "start": "all"}
            return _connector("email", name, address, teams[team], credentials, options)

        texting = {"account_sid": ACCOUNT_SID, "auth_token": kept["auth_token"]}
        extra: dict[str, Connector] = {}
        if os.environ.get("DEMO_WHATSAPP"):
            extra["whatsapp"] = _connector("whatsapp", "WhatsApp", WHATSAPP_NUMBER, teams["Support"], texting)
        return extra | {
            "support": mailbox("Support", "support@northwind.test", "Support"),
            "billing": mailbox("Billing", "billing@northwind.test", "Billing"),
            "sms": _connector(
                "sms",
                "Texts",
                NUMBER,
                teams["Support"],
                texting,
                {"from_name": "Northwind"},
            ),
            "instagram": _connector(
                "instagram",
                "Instagram",
                INSTAGRAM_ACCOUNT,
                teams["Support"],
                {key: kept[key] for key in ("app_secret", "verify_token", "access_token")},
                {"app_id": APP_ID, "flavour": "instagram", "username": "northwind"},
            ),
        }

    def _people(self, people: Sequence[dict[str, str]]) -> None:
        for each in people:
            customer = Customer.objects.create(name=each["name"], named_by_agent=True, has_written=True)
            addresses = [
                ("email", "", each["email"]),
                ("phone", "", each["phone"]),
                ("instagram", INSTAGRAM_ACCOUNT, each["instagram_id"]),
            ]
            for kind, scope, value in addresses:
                if value:
                    identity = Identity.objects.create(
                        kind=kind,
                        scope=scope,
                        value=value,
                        handle=each["instagram_handle"] if scope else "",
                        customer=customer,
                        origin="the order import",
                    )
                    IdentityLink.objects.create(
                        identity=identity, customer=customer, reason=LinkReason.IMPORTED, words="From the order import."
                    )

    def _write(self, var: Path, kept: dict[str, str], connectors: dict[str, Connector]) -> None:
        port = os.environ.get("SANDBOX_PORT", "8090")
        sandbox = f"http://127.0.0.1:{port}"
        described = [_described(each) for each in connectors.values()]
        customers = [
            {**each, "email_password": kept["customers"] if each["email"] else ""}
            for each in [*ON_RECORD, *WITH_A_STORY, STRANGER]
        ]
        smtp = {"host": "127.0.0.1", "port": int(os.environ.get("SANDBOX_SMTP_PORT", "8025"))}
        imap = {"host": "127.0.0.1", "port": int(os.environ.get("SANDBOX_IMAP_PORT", "8993"))}
        _write_private(
            var / "demo.json",
            {
                "base_url": settings.PUBLIC_URL,
                "agents": [
                    {"email": each["email"], "password": _password(kept), "role": each["role"], "team": each["team"]}
                    for each in AGENTS
                ],
                "connectors": described,
                "customers": customers,
                "sandbox": {
                    "twilio_url": sandbox,
                    "graph_url": sandbox,
                    "phone_url": f"{sandbox}/",
                    "smtp": smtp,
                    "imap": imap,
                    "ca_file": settings.MAIL_CA_FILE,
                },
            },
        )
        _write_private(
            var / "sandbox.json",
            {
                "host": "127.0.0.1",
                "http_port": int(port),
                "smtp_port": smtp["port"],
                "imap_port": imap["port"],
                "tls": {"cert": os.environ.get("SANDBOX_CERT_FILE"), "key": os.environ.get("SANDBOX_KEY_FILE")},
                "product_url": f"{settings.PUBLIC_URL}/",
                "connectors": [*described, *_outlet(connectors)],
                "customers": customers,
            },
        )


def _outlet(connectors: dict[str, Connector]) -> list[dict[str, Any]]:
    """What waits to be connected. Meta posts all accounts of an app to one address; Twilio calls nobody yet."""
    account, mailbox, number = (connectors[name] for name in ("instagram", "support", "sms"))
    app = {"app_id": APP_ID, **{key: account.credentials[key] for key in ("app_secret", "verify_token")}}
    login = {"username": OUTLET_MAILBOX, "password": mailbox.credentials["imap_password"]}
    known = [
        {"kind": "instagram", "address": OUTLET_ACCOUNT, "webhook_url": account.webhook_url, **app},
        {"kind": "email", "address": OUTLET_MAILBOX, "imap": login},
        {"kind": "sms", "address": OUTLET_NUMBER, **number.credentials},
    ]
    return [{"name": "Northwind Outlet", **each} for each in known]


def _password(kept: dict[str, str]) -> str:
    return f"line-{kept['agents'][:12]}"


def _connector(
    kind: str, name: str, address: str, team: Team, credentials: dict[str, str], options: dict[str, str] | None = None
) -> Connector:
    """Made once; the ports of the sandbox may change from start to start."""
    connector = Connector.objects.filter(kind=kind, addresses=[address]).first() or Connector(
        kind=kind, addresses=[address], name=name, team=team
    )
    connector.credentials, connector.options = credentials, options or {}
    connector.save()
    return connector


def _described(connector: Connector) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "kind": connector.kind,
        "name": connector.name,
        "address": connector.address,
        "team": connector.team.name,
        "webhook_url": connector.webhook_url if connector.kind != Channel.EMAIL else "",
    }
    if connector.kind != Channel.EMAIL:
        return {**shared, **connector.credentials, **connector.options}
    mail = connector.credentials
    return shared | {
        kind: {key: mail[f"{kind}_{key}"] for key in ("host", "username", "password")}
        | {"port": int(mail[f"{kind}_port"])}
        for kind in ("imap", "smtp")
    }


def _write_private(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(content, out, indent=2)


class Stories:
    """A small language: who says what where, how long ago, and what we answered."""

    def __init__(self, connectors: dict[str, Connector]) -> None:
        self.connectors = connectors
        self.ana = Agent.objects.get(email="ana@throughline.test")
        self.sam = Agent.objects.get(email="sam@throughline.test")
        self.lee = Agent.objects.get(email="lee@throughline.test")

    def tell(self) -> None:
        case = self.says(
            "Hanna Vogel", "support", "Order #47316 came with a cracked lid. Can you replace it?", 74.0, "Cracked lid"
        )
        self.answer(case, self.sam, "Sorry about that, Hanna. A new one is on its way, with you by Wednesday.", 73.5)
        self.says(
            "Hanna Vogel",
            "support",
            "The replacement arrived broken too, can you just refund me? I need something for Saturday.",
            3.3,
            "Re: Cracked lid",
        )
        self.note(case, self.ana, "Second breakage from this batch. Refund is fine, no return needed.", 2.6)
        self.says("Hanna Vogel", "sms", "hi did you get my email??", 0.1)

        case = self.says("Omar Haddad", "sms", "When will my order #47711 arrive? I am home after 2", 5.0)
        self.answer(case, self.ana, "Between 2 and 4, the driver will text you.", 4.8)

        self.says("Ruth Okafor", "instagram", "is the green one back in stock? 🌿", 0.8)

        case = self.says(
            "Leo Marsh",
            "billing",
            "The invoice for order #47120 names the wrong company. Could you correct it?",
            26.0,
            "Wrong name on my invoice",
        )
        self.answer(case, self.lee, "The corrected invoice is attached to your order page now.", 25.0)
        self.says("Leo Marsh", "billing", "Thank you, that was quick.", 24.5, "Re: Wrong name on my invoice")

        case = self.says("Ines Prado", "instagram", "hi! my parcel says delivered but nothing is here", 20.0)
        self.answer(case, self.sam, "Oh no. Which order number is it?", 19.8)
        self.says("Ines Prado", "support", "It is order #48377. You asked on Instagram.", 19.0, "Missing parcel")
        self.answer(case, self.sam, "Found it, Ines. A new parcel leaves today.", 18.5)

    def says(self, name: str, where: str, text: str, hours_ago: float, subject: str = "") -> Case:
        connector = self.connectors[where]
        at = now() - timedelta(hours=hours_ago)
        kind = {"email": "email", "sms": "phone", "instagram": "instagram"}[connector.kind]
        identity = Identity.objects.get(customer__name=name, kind=kind)
        is_mail = connector.kind == Channel.EMAIL
        before = Entry.objects.filter(identity=identity).count()
        with transaction.atomic():
            outcome = messages.receive(
                connector,
                InboundMessage(
                    provider_id=f"demo-{identity.pk}-{before}",
                    sender=Sender(identity.value, identity.scope, name, identity.handle),
                    recipient=connector.address,
                    text=text,
                    sent_at=at,
                    subject=subject,
                    authenticity=Authenticity.PASS if is_mail else Authenticity.UNKNOWN,
                    email=EmailHeaders(message_id=f"demo.{identity.pk}.{before}@customers.test") if is_mail else None,
                ),
            )
            entry = Entry.objects.select_related("case").get(pk=outcome["entry"])
            assert entry.case is not None
            self._was(entry, entry.case, hours_ago)
        return entry.case

    def answer(self, case: Case, agent: Agent, text: str, hours_ago: float) -> None:
        case = Case.objects.get(pk=case.pk)
        option, why = outbox.default_option(case, outbox.options(case))
        assert option is not None, why
        with transaction.atomic():
            entry = outbox.reply(case, by=agent, option_key=option.key, text=text, send_anyway=True)
            Delivery.objects.filter(entry=entry).update(state=State.DELIVERED, sent_at=now())
            self._was(entry, case, hours_ago)

    def note(self, case: Case, agent: Agent, text: str, hours_ago: float) -> None:
        self._was(outbox.add_note(case, by=agent, text=text), case, hours_ago)

    def _was(self, entry: Entry, case: Case, hours_ago: float) -> None:
        """Back in time: what has just been recorded happened some hours ago."""
        at = now() - timedelta(hours=hours_ago)
        Entry.objects.filter(case=case, pk__gte=entry.pk).update(created_at=at)
        Entry.objects.filter(case=case, event="shared", pk__lt=entry.pk, created_at__gt=at).update(created_at=at)
        case = Case.objects.get(pk=case.pk)
        for field in ("created_at", "first_message_at", "first_reply_at"):
            value = getattr(case, field)
            if value and value > now() - timedelta(minutes=1):
                setattr(case, field, at)
        case.last_at = at
        if case.moved_at and case.moved_at > now() - timedelta(minutes=1):
            case.moved_at = at
        switch = Switch.objects.filter(entry=entry).select_related("previous_entry").first()
        if switch:
            switch.at, switch.gap = at, at - switch.previous_entry.created_at
            switch.save(update_fields=["at", "gap"])
            case.alerts.update(created_at=at, raised_at=at)
        case.save()
        case.changed(None)
