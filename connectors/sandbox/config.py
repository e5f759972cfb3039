"""What the sandbox is told at its start. Everything wrong with it is one sentence (`Refused`)."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Refused(Exception):
    """The sandbox will not start; the message is the sentence to print."""


@dataclass(frozen=True, slots=True)
class Connector:
    """One of our accounts as its provider knows it. Only the fields of its kind are filled."""

    kind: str  # email, sms, instagram or whatsapp
    address: str
    name: str = ""
    webhook_url: str = ""
    account_sid: str = ""
    auth_token: str = field(default="", repr=False)
    app_id: str = ""
    app_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Customer:
    """A person the visitor can be. An empty address is one they do not have."""

    name: str
    email: str = ""
    email_password: str = field(default="", repr=False)
    phone: str = ""
    instagram_id: str = ""
    instagram_handle: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    host: str
    http_port: int
    smtp_port: int
    imap_port: int
    product_url: str
    connectors: tuple[Connector, ...]
    customers: tuple[Customer, ...]
    cert_file: Path | None = None
    key_file: Path | None = None
    status_delay: float = 0.3

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.http_port}"

    def of_kind(self, kind: str) -> list[Connector]:
        return [connector for connector in self.connectors if connector.kind == kind]


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read(path: Path) -> Config:
    """The configuration in this file; raises `Refused`."""
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise Refused(f"The sandbox cannot read its configuration {path}: {error.strerror}.") from error
    except ValueError as error:
        raise Refused(f"The sandbox's configuration {path} is not JSON: {error}.") from error


def parse(values: dict[str, Any]) -> Config:
    """The configuration in these values; raises `Refused`, above all for any host that is not loopback."""
    tls = values.get("tls") or {}
    try:
        config = Config(
            host=str(values.get("host", "127.0.0.1")),
            http_port=int(values["http_port"]),
            smtp_port=int(values["smtp_port"]),
            imap_port=int(values["imap_port"]),
            product_url=str(values.get("product_url", "")),
            connectors=tuple(_pick(Connector, _mailbox(entry)) for entry in values.get("connectors", [])),
            customers=tuple(_pick(Customer, entry) for entry in values.get("customers", [])),
            cert_file=Path(tls["cert"]) if tls.get("cert") else None,
            key_file=Path(tls["key"]) if tls.get("key") else None,
            status_delay=float(values.get("status_delay", 0.3)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"The sandbox's configuration is incomplete: {error!r}.") from error
    if not is_loopback(config.host):
        raise Refused(f"The sandbox listens on loopback only, and {config.host} is not loopback.")
    for connector in config.connectors:
        if connector.kind not in ("email", "sms", "instagram", "whatsapp"):
            raise Refused(f"The sandbox knows email, sms, instagram and whatsapp, not {connector.kind}.")
        if connector.webhook_url and not is_loopback(urlsplit(connector.webhook_url).hostname or ""):
            raise Refused(f"The sandbox posts to loopback only, and {connector.webhook_url} is elsewhere.")
    return config


def _mailbox(entry: dict[str, Any]) -> dict[str, Any]:
    """A mail connector may carry its sign-in under `imap`, the shape of var/demo.json."""
    signing_in = entry.get("imap") or {}
    return {"username": signing_in.get("username", ""), "password": signing_in.get("password", "")} | entry


def _pick(kind: type[Any], entry: dict[str, Any]) -> Any:
    """Only the keys the sandbox knows; the demo writes more than that. Null means empty."""
    return kind(**{name: str(entry.get(name) or "") for name in kind.__dataclass_fields__})
