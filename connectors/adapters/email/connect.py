"""Sockets to mail servers: verified TLS, a time-out on everything, no way into our own network."""

from __future__ import annotations

import socket
import ssl

from django.conf import settings

from connectors.adapters.media import is_public

_NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNEXPECTED_MESSAGE",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
}

PORTS = {25, 143, 465, 587, 993, 2525}


class Unreachable(Exception):
    """The server cannot be spoken to; `reason` is a sentence without its banner. `permanent`: it is the settings."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


def open_socket(host: str, port: int, seconds: float) -> socket.socket:
    """A TCP connection. The name is resolved once and the checked address is the one connected to."""
    if port not in PORTS and not settings.ALLOW_PRIVATE_HOSTS:
        raise Unreachable(f"Port {port} is not one that mail servers use.", permanent=True)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Unreachable(f"The mail server {host} was not found.") from error
    if not settings.ALLOW_PRIVATE_HOSTS and not all(is_public(str(place[4][0]).partition("%")[0]) for place in found):
        raise Unreachable(f"{host} is inside our own network; mail servers there are not allowed.", permanent=True)
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(seconds)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            continue
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection
    raise Unreachable(f"The mail server {host} does not answer on port {port}.")


def trust() -> ssl.SSLContext:
    """The system's certificate authorities, and the one of `MAIL_CA_FILE` besides."""
    context = ssl.create_default_context()
    if settings.MAIL_CA_FILE:
        context.load_verify_locations(cafile=str(settings.MAIL_CA_FILE))
    return context


def explain(error: Exception, host: str) -> str:
    """What went wrong on the wire, as a sentence."""
    if isinstance(error, Unreachable):
        return error.reason
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} is not valid: {error.verify_message}."
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return f"{host} does not speak TLS on this port."
    if isinstance(error, TimeoutError):
        return f"The mail server {host} took too long to answer."
    return f"The connection to the mail server {host} was lost."
