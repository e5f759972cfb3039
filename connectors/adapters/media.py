"""Fetching a file that somebody else named, without being led anywhere else (security.md A07, A08).

Only https, only hosts on the caller's list, only public addresses: the name is resolved once and the connection goes
to that very address, so a second answer of the name server cannot move it. All of it is checked again at every
redirect, and credentials never follow to another host. `settings.ALLOW_PRIVATE_HOSTS` admits http and private
addresses, never a host that is not on the list.
"""

from __future__ import annotations

import ipaddress
import mimetypes
import re
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import SplitResult, urljoin, urlsplit

import puremagic
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from connectors.adapters.text import storable
from connectors.errors import FetchFailed

MAX_BYTES = 25 * 1024 * 1024
MAX_REDIRECTS = 4
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5, 10, 60
CHUNK_BYTES = 64 * 1024
UNKNOWN_TYPE = "application/octet-stream"
# 64:ff9b::/96 carries an IPv4 address in its last 32 bits (RFC 6052).
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class FileGone(FetchFailed):
    """The far end says there is no such file (404, 410): gone for ever, or not there yet."""


@dataclass(frozen=True, slots=True)
class File:
    """What was fetched. `name` is a plain file name with an ending that fits; `content_type` is sniffed."""

    content: bytes
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    scheme: str
    host: str
    port: int


def fetch(
    url: str,
    *,
    hosts: Collection[str],
    credentials: tuple[str, str] | None = None,
    declared_type: str = "",
    max_bytes: int = MAX_BYTES,
) -> File:
    """The file at `url`. `hosts` are exact names or `*.example.com` (the sub-domains of it).

    `credentials` (user, password) go to the origin of `url` only. Raises `FetchFailed`.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    first = _checked(url, hosts)
    for _ in range(MAX_REDIRECTS + 1):
        origin = _checked(url, hosts)
        if origin != first:
            credentials = None  # for good: nobody may send us back to the first host with them
        with requests.Session() as session:
            response = _get(session, url, origin, credentials)
            if response.is_redirect or response.is_permanent_redirect:
                url = urljoin(url, response.headers["location"])
                continue
            _refuse_status(response.status_code, origin.host)
            content = _read(response, max_bytes, deadline)
            content_type = sniff(content, declared_type or response.headers.get("content-type", ""))
            return File(content, content_type, _name(response.headers, content_type))
    raise FetchFailed("The file could not be fetched: its address kept pointing elsewhere.", permanent=True)


def is_allowed(host: str, hosts: Collection[str]) -> bool:
    """Whether the list names this host: exactly, or `*.example.com` for anything below example.com."""
    return any(host.endswith(entry[1:]) if entry.startswith("*.") else host == entry for entry in hosts)


def host_of(url: str) -> str:
    """The host an address names, in lower case; empty when it names none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of an http or https address; None for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return Origin(parts.scheme, parts.hostname.lower(), port or (443 if parts.scheme == "https" else 80))


def sniff(content: bytes, declared: str) -> str:
    """The content type by the bytes. A declared type holds only where bytes cannot tell (text, some audio)."""
    declared = declared.partition(";")[0].strip().lower()
    if declared in STARTS and content.startswith(STARTS[declared]):
        return declared
    matches = _matches(content)
    if declared and any(match.mime_type == declared for match in matches):
        return declared
    for match in matches:
        if match.confidence >= 0.3 and match.mime_type:  # 0.3 is JPEG's three bytes; less is chance
            return ALIASES.get(match.mime_type, str(match.mime_type))
        if match.extension == ".amr":
            return "audio/amr"
    start = content[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "text/html"
    is_text = declared.startswith("text/") and b"\0" not in content
    return declared if is_text or declared.startswith("audio/") else UNKNOWN_TYPE


# What most files are, and say rightly; a search through all that puremagic knows costs a hundred times as much
STARTS: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
}
# puremagic's names for what browsers call otherwise
ALIASES = {"audio/wave": "audio/wav", "audio/x-wav": "audio/wav", "application/ogg": "audio/ogg"}


def _matches(content: bytes) -> list[puremagic.PureMagicWithConfidence]:
    """What puremagic makes of it, best first. Release 1 raises on what it does not know, release 2 answers []."""
    if not content:
        return []
    try:
        return list(puremagic.magic_string(content))
    except (puremagic.PureError, ValueError):
        return []


def _checked(url: str, hosts: Collection[str]) -> Origin:
    origin = origin_of(url)
    if origin is None or not url.isascii() or re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise FetchFailed("The file could not be fetched: its address is not a web address.", permanent=True)
    if origin.scheme != "https" and not settings.ALLOW_PRIVATE_HOSTS:
        raise FetchFailed("The file was not fetched: its address is not https.", permanent=True)
    if "@" in urlsplit(url).netloc or not is_allowed(origin.host, hosts):
        raise FetchFailed(
            f"The file was not fetched: {origin.host} is not one of the provider's hosts.", permanent=True
        )
    return origin


def _get(session: requests.Session, url: str, origin: Origin, credentials: tuple[str, str] | None) -> requests.Response:
    address = _resolve(origin)
    session.trust_env = False  # neither a .netrc nor a proxy of the environment may add or see credentials
    session.mount(f"{origin.scheme}://", PinnedAdapter(address, origin.host))
    parts: SplitResult = urlsplit(url)
    headers = {"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": "Throughline"}
    try:
        return session.get(
            parts._replace(fragment="").geturl(),
            headers=headers,
            auth=credentials,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
    except requests.RequestException as error:
        raise FetchFailed(f"{origin.host} could not be reached for the file.", permanent=False) from error


def _resolve(origin: Origin) -> str:
    """One address of the host. Every address it has must be public, so that no answer is a lucky draw."""
    try:
        found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"The host of the file, {origin.host}, has no address.", permanent=False) from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not settings.ALLOW_PRIVATE_HOSTS and not all(is_public(address) for address in addresses):
        raise FetchFailed(f"The file was not fetched: {origin.host} points into a private network.", permanent=True)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open Internet, looking inside IPv6 forms that wrap an IPv4 address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in TRANSLATED:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast


class PinnedAdapter(HTTPAdapter):
    """Connects to one address whatever the name resolves to by now; TLS still proves the name."""

    def __init__(self, address: str, host: str) -> None:
        self.address = f"[{address}]" if ":" in address else address
        self.host = host
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> HTTPConnectionPool:
        target, options = self.build_connection_pool_key_attributes(request, bool(verify), cert)
        named = {"server_hostname": self.host, "assert_hostname": self.host} if target["scheme"] == "https" else {}
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(
            self.address, target["port"], target["scheme"], pool_kwargs={**options, **named}
        )
        return pool


def _refuse_status(status: int, host: str) -> None:
    if status == 200:
        return
    if status in {404, 410}:
        raise FileGone("The file is no longer there.", permanent=True)
    if status in {401, 403}:
        raise FetchFailed(f"{host} refused to hand out the file ({status}).", permanent=True)
    passing = status in {408, 425, 429} or status >= 500
    raise FetchFailed(f"{host} answered {status} instead of the file.", permanent=not passing)


def _read(response: requests.Response, max_bytes: int, deadline: float) -> bytes:
    too_large = FetchFailed(f"The file is larger than {max_bytes // (1024 * 1024)} MB.", permanent=True)
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FetchFailed("The file came packed although we asked for it plain.", permanent=True)
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    content = bytearray()
    try:
        # read1 returns what is there: a far end that drips bytes is measured against the deadline.
        while chunk := response.raw.read1(CHUNK_BYTES):
            content += chunk
            if len(content) > max_bytes:
                raise too_large
            if time.monotonic() > deadline:
                raise FetchFailed(f"The file took longer than {TOTAL_SECONDS} seconds.", permanent=False)
    except (HTTPError, OSError) as error:
        raise FetchFailed("The connection broke while the file was coming.", permanent=False) from error
    if announced.isdecimal() and len(content) < int(announced):
        raise FetchFailed("The connection broke while the file was coming.", permanent=False)
    return bytes(content)


def _name(headers: Mapping[str, str], content_type: str) -> str:
    """The name the far end gives, reduced to a plain file name; else one made of the type, such as `image.jpg`."""
    disposition = Message()
    disposition["Content-Disposition"] = headers.get("content-disposition", "")
    given = re.split(r"[/\\]", storable(disposition.get_filename() or ""))[-1]
    name = "".join(character for character in given if character.isprintable()).strip(" .")
    if name:
        return name[-120:]
    ending = ENDINGS.get(content_type) or mimetypes.guess_extension(content_type) or ""
    family = content_type.partition("/")[0]
    return (family if family in {"image", "video", "audio", "text"} else "file") + ending


# Types whose ending Python's own table lacks or takes from a rarer use
ENDINGS = {
    "audio/amr": ".amr",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "image/heif": ".heic",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "video/3gpp": ".3gp",
}
