"""Whether our own mail server vouches for a From address (RFC 8601; reference/email.md §3.3)."""

from __future__ import annotations

import re

from connectors.adapters.email.headers import Headers
from connectors.messages import Authenticity

UNNAMED = "microsoft365"  # instead of a name: the server that writes none, whose header is the topmost one

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)("?)')
_MEANING = re.compile(r"[^\w.@+-]")
_RESULT = re.compile(r"^\s*([a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b([a-z]+\.[a-z0-9-]+)\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)


def judge(headers: Headers, address: str, authserv_id: str) -> Authenticity:
    """Believes only the topmost Authentication-Results of the configured server; without one: unknown.

    `dmarc=pass` or `dkim=pass` must be for the domain of `address`; `spf=pass` proves only the envelope.
    """
    results = _results(headers, authserv_id)
    domain = address.rpartition("@")[2].lower().rstrip(".")
    if not results or not domain:
        return Authenticity.UNKNOWN
    if any(method in ("dmarc", "compauth") and result == "fail" for method, result, _ in results):
        return Authenticity.FAIL
    for method, result, properties in results:
        if result != "pass":
            continue
        if method == "dmarc" and properties.get("header.from", domain).lower().rstrip(".") == domain:
            return Authenticity.PASS
        if method == "dkim" and _covers(_signer(properties), domain):
            return Authenticity.PASS
    failed = {method for method, result, _ in results if result == "fail"}
    passed = {method for method, result, _ in results if result == "pass"}
    return Authenticity.FAIL if "spf" in failed and "dkim" not in passed else Authenticity.UNKNOWN


def server(value: str) -> str:
    """Who wrote this header, in lower case; empty where it begins with its first result, as Microsoft 365's does."""
    name = next(iter((_plain(value) or value).partition(";")[0].split()), "")
    return "" if "=" in name else name.lower()


def a_name(entered: str) -> str:
    """Raises ValueError, in words, for what cannot be one."""
    if "=" in entered:
        raise ValueError(f"That is a result and no server's name. Microsoft 365 writes no name: enter {UNNAMED}.")
    return entered


def _results(headers: Headers, authserv_id: str) -> list[tuple[str, str, dict[str, str]]]:
    """(method, result, properties) of the one header that counts."""
    verdict = _verdict(headers.all("authentication-results"), authserv_id.strip().lower())
    return [found for statement in _plain(verdict).split(";") if (found := _statement(statement))]


def _plain(value: str) -> str:
    """Without comments, which nest, and with each quoted string as a single word (RFC 5322 §3.2): what a sender wrote
    there is no result. Empty where one is not closed: then nobody can tell whose words are whose."""
    value = _QUOTED.sub(lambda quoted: _MEANING.sub("_", quoted[1]) + ("" if quoted[2] else '"'), value)
    depth, kept = 0, []
    for piece in re.split(r"([()])", re.sub(r"\\.", "_", value)):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        kept.append(" " if depth or piece == ")" else piece)
        if depth < 0:
            return ""
    return "" if depth or '"' in value else "".join(kept)


def _verdict(values: list[str], wanted: str) -> str:
    """A header that begins with a result is believed only as the topmost one: what is below, anybody may have sent."""
    if wanted == UNNAMED:
        return next((value for value in values[:1] if not server(value)), "")
    return next((value for value in values if wanted and server(value) == wanted), "")


def _statement(text: str) -> tuple[str, str, dict[str, str]] | None:
    result = _RESULT.match(text)
    if not result:
        return None
    properties = {name.lower(): value for name, value in _PROPERTY.findall(text[result.end() :])}
    return result[1].lower(), result[2].lower(), properties


def _signer(properties: dict[str, str]) -> str:
    return properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]


def _covers(signer: str, domain: str) -> bool:
    signer = signer.lower().rstrip(".")
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))
