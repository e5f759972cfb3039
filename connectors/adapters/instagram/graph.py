"""Speaking to the Graph API: one request, one JSON answer, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from requests.auth import AuthBase

from connectors.adapters.instagram.fields import Fields, part, parts, text
from connectors.messages import Account

TIMEOUT_SECONDS = (5, 15)


class Bearer(AuthBase):
    """As `auth`, not as a header: a .netrc on the machine would replace the header."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No sign-in at all; without it a .netrc on the machine would add one."""
    return request


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is empty when the answer was not a JSON object. `retry_after`: seconds, when Meta says.

    `usage`: how much of what we may ask is used up, in percent.
    """

    status: int
    body: Fields
    retry_after: int | None = None
    usage: int = 0

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300 and "error" not in self.body

    @property
    def code(self) -> int:
        return _number(text(part(self.body, "error"), "code"))

    @property
    def subcode(self) -> int:
        return _number(text(part(self.body, "error"), "error_subcode"))


def call(
    account: Account,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
) -> Answer:
    """In the account's name. Raises `requests.RequestException` when there is no answer."""
    address = f"{host(account)}/{settings.GRAPH_API_VERSION}/{path}"
    return ask(method, address, token=account.secrets.get("access_token", ""), query=query, document=document)


def host(account: Account) -> str:
    """Which of Meta's two APIs speaks for this account (instagram.md §1)."""
    return settings.FACEBOOK_API_URL if is_page(account) else settings.GRAPH_API_URL


def is_page(account: Account) -> bool:
    """Whether the account was connected through its Facebook page."""
    return account.options.get("flavour") == "page"


def ask(
    method: str,
    address: str,
    *,
    token: str = "",
    query: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
) -> Answer:
    """Raises `requests.RequestException` when there is no answer."""
    response = requests.request(
        method,
        address,
        params=query,
        json=document,
        data=form,
        auth=Bearer(token) if token else nobody,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
    )
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = {}
    return Answer(
        response.status_code,
        body if isinstance(body, dict) else {},
        _retry_after(response.headers),
        _usage(response.headers),
    )


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Retry-After in seconds, or the minutes of X-Business-Use-Case-Usage (instagram.md §10)."""
    asked = headers.get("Retry-After", "")
    if asked.isdecimal() and len(asked) < 7:
        return int(asked)
    minutes = [case.get("estimated_time_to_regain_access") for case in _business(headers)]
    return max((value for value in minutes if isinstance(value, int)), default=0) * 60 or None


def _usage(headers: Mapping[str, str]) -> int:
    """The fullest of Meta's meters, X-App-Usage and X-Business-Use-Case-Usage, in percent."""
    meters = [_json(headers.get("X-App-Usage", "")), *_business(headers)]
    names = ("call_count", "total_cputime", "total_time")
    found = [meter.get(name) for meter in meters for name in names]
    return int(max((value for value in found if isinstance(value, int | float)), default=0))


def _business(headers: Mapping[str, str]) -> list[Fields]:
    return [case for cases in _json(headers.get("X-Business-Use-Case-Usage", "")).values() for case in parts(cases)]


def _json(value: str) -> Fields:
    try:
        found = json.loads(value or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 12 else 0
