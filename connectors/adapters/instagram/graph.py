"""Speaking to the Graph API: one request, one JSON answer, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from requests.auth import AuthBase

from connectors.adapters.instagram.fields import Fields, part, text
from connectors.messages import Account

TIMEOUT_SECONDS = (5, 15)


class Bearer(AuthBase):
    """As `auth`, not as a header: a .netrc on the machine would replace the header."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is empty when the answer was not a JSON object. `retry_after`: seconds, when Meta says."""

    status: int
    body: Fields
    retry_after: int | None = None

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
    """Raises `requests.RequestException` when there is no answer."""
    response = requests.request(
        method,
        f"{settings.GRAPH_API_URL.rstrip('/')}/{settings.GRAPH_API_VERSION}/{path}",
        params=query,
        json=document,
        auth=Bearer(account.secrets.get("access_token", "")),
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
    )
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = {}
    return Answer(response.status_code, body if isinstance(body, dict) else {}, _retry_after(response.headers))


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Retry-After in seconds, or the minutes of X-Business-Use-Case-Usage (instagram.md §10)."""
    asked = headers.get("Retry-After", "")
    if asked.isdecimal() and len(asked) < 7:
        return int(asked)
    try:
        usage = json.loads(headers.get("X-Business-Use-Case-Usage", "{}"))
        minutes = [int(case.get("estimated_time_to_regain_access", 0)) for cases in usage.values() for case in cases]
    except (AttributeError, TypeError, ValueError):
        return None
    return max(minutes, default=0) * 60 or None


def _number(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 12 else 0
